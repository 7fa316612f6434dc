using System.Runtime.CompilerServices;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Features;

/// <summary>Something that the broker promises, done while the leader is killed, and then checked.</summary>
internal interface IFeature
{
    /// <summary>As the command line names it.</summary>
    string Name { get; }

    /// <summary>
    /// Does one round and returns when all that it began has ended. The leader dies at some moment of it. Broken promises go to the
    /// round's list.
    /// </summary>
    Task RunAsync(FeatureRound round, CancellationToken cancellationToken);
}

/// <summary>One round: names of its own, a client, and what was found.</summary>
internal sealed class FeatureRound(PatientClient client, string name, Random random)
{
    private readonly Lock _lock = new();
    private readonly List<string> _findings = [];
    private readonly TaskCompletionSource _leaderDied = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PatientClient Client { get; } = client;

    /// <summary>What an operator does.</summary>
    public PatientOperator Operator { get; } = new(client);

    /// <summary>Topic of this round.</summary>
    public string Topic { get; } = $"topic-{name}";

    /// <summary>Consumer group of this round.</summary>
    public string Group { get; } = $"group-{name}";

    /// <summary>Choices of the round, from its seed.</summary>
    public Random Random { get; } = random;

    /// <summary>What did not hold.</summary>
    public IReadOnlyList<string> Findings
    {
        get
        {
            lock (_lock)
            {
                return [.. _findings];
            }
        }
    }

    /// <summary>Things that were checked.</summary>
    public int Checks { get; private set; }

    /// <summary>Whether the leader of this round is dead.</summary>
    public bool LeaderHasDied => _leaderDied.Task.IsCompleted;

    /// <summary>The leader of this round is dead.</summary>
    public void NoteLeaderDied() => _leaderDied.TrySetResult();

    /// <summary>Numbers of pieces of work at a steady pace: at least so many, and until some more have come since the leader died.</summary>
    public async IAsyncEnumerable<int> NumbersAsync(
        int countMin, TimeSpan pace, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int CountAfterDeath = 10;
        var left = CountAfterDeath;
        for (var number = 0; number < countMin || left > 0; number++)
        {
            left -= LeaderHasDied ? 1 : 0;
            yield return number;
            await Wait.ForAsync(pace, cancellationToken);
        }
    }

    /// <summary>Notes a broken promise unless it holds.</summary>
    public void Check(bool holds, string finding)
    {
        lock (_lock)
        {
            Checks++;
            if (!holds)
            {
                _findings.Add(finding);
            }
        }
    }

    /// <summary>
    /// What a receive brings, and whether that is certainly all that was handed out for it: a node repeats by itself a receive whose leader
    /// died.
    /// </summary>
    public async Task<(IReadOnlyList<Message> Messages, bool IsWhole)> TryReceiveAsync(
        PatientClient receiver, ReceiveMessageRequest request, CancellationToken cancellationToken)
    {
        var hadDied = LeaderHasDied;
        var (messages, isWhole) = await receiver.TryReceiveAsync(request, cancellationToken);
        return (messages, isWhole && hadDied == LeaderHasDied);
    }

    /// <summary>The request of a simple consumer of this round.</summary>
    public ReceiveMessageRequest Receive(string? topic = null, int batch = 8, double invisibleSeconds = 30, double waitSeconds = 1) => new()
    {
        Group = new Resource { Name = Group },
        MessageQueue = new MessageQueue { Topic = new Resource { Name = topic ?? Topic } },
        FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
        BatchSize = batch,
        InvisibleDuration = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(invisibleSeconds)),
        LongPollingTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(waitSeconds)),
    };
}
