using System.Globalization;
using Dledger.Broker.Messages;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends numbered messages to a topic of one workload, each attempt under an id of its own.</summary>
internal sealed class FeedProducer(
    SimulatedCluster cluster, SimulationRandom random, string topic, string prefix, int messageGroups, Action<string> invoked)
{
    /// <summary>Of a message's number: what tags, properties and keys speak of.</summary>
    public const int Modulus = 5;

    private int _number;

    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    /// <summary>The number that a message was sent with.</summary>
    public static int NumberOf(string messageId) =>
        int.Parse(messageId.AsSpan(messageId.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);

    public async Task RunAsync()
    {
        while (true)
        {
            var interval = Remaining == 0 ? cluster.Scenario.ElectionTimeout : 2 * cluster.Scenario.ProduceInterval;
            await cluster.Calls.DelayAsync(random.NextInterval(interval));
            if (Remaining > 0 && await SendAsync())
            {
                Remaining--;
            }
        }
    }

    private async Task<bool> SendAsync()
    {
        var node = cluster.Calls.Choose();
        var number = ++_number;
        var rest = (number % Modulus).ToString(CultureInfo.InvariantCulture);
        var draft = new MessageDraft
        {
            Body = new byte[1 + random.Next(64)],
            MessageId = $"{prefix}{number}",
            Tag = $"t{rest}",
            Keys = [$"k{rest}"],
            UserProperties = [KeyValuePair.Create("n", rest)],
            MessageGroup = messageGroups == 0 ? null : $"m{random.Next(messageGroups)}",
            Type = messageGroups == 0 ? MessageType.Normal : MessageType.Fifo,
        };
        invoked(draft.MessageId);
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.AppendAsync(topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        return isAnswered && outcome!.Succeeded;
    }
}
