using System.Collections.Concurrent;
using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// Quotas of a topic and of a group bound what passes in any time t under one leader by max(one second's worth, the largest request) +
/// rate * t; each new leader begins anew. What a quota refuses is never stored; what was acknowledged is.
/// </summary>
internal sealed class Quotas : IFeature
{
    private const int SendRate = 20;
    private const int ReceiveRate = 15;
    private const int AckedMin = 80;
    private const int WorkerCount = 3;

    // Log time may run so much faster than this program's clock.
    private const double ClockDrift = 1.01;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    public string Name => "quota";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, ProduceMessagesPerSecond = SendRate },
            new Group { Name = round.Group, ReceiveMessagesPerSecond = ReceiveRate },
            cancellationToken);
        var term = await round.Operator.TermAsync(cancellationToken);
        var books = new Books();
        var receiving = Enumerable.Range(0, WorkerCount).Select(_ => ReceiveAsync(round, books, cancellationToken)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, WorkerCount).Select(worker => SendAsync(round, worker, books, cancellationToken)));
        books.IsSent = true;
        await Task.WhenAll(receiving);

        var leaders = 1 + await round.Operator.TermAsync(cancellationToken) - term;
        var tooMuchSent = books.Sent.FindExcess(SendRate * ClockDrift, leaders * SendRate);
        round.Check(tooMuchSent is null, $"of sends {tooMuchSent}, {leaders} leaders");
        var tooMuchReceived = books.Received.FindExcess(ReceiveRate * ClockDrift, leaders * ReceiveRate);
        round.Check(tooMuchReceived is null, $"of receives {tooMuchReceived}, {leaders} leaders");
        await CheckStoredAsync(round, books, cancellationToken);
    }

    // One attempt for each id: what became of it is known, or it may be there once.
    private static async Task SendAsync(FeatureRound round, int worker, Books books, CancellationToken cancellationToken)
    {
        for (var number = 0; books.Acked.Count < AckedMin || !round.LeaderHasDied; number++)
        {
            var id = $"{worker}:{number}";
            var begun = books.Now;
            var (end, status, _) = await round.Client.TrySendAsync(round.Topic, id, static _ => { }, cancellationToken);
            switch (end.Certainty)
            {
                case Certainty.Done:
                    books.Acked.TryAdd(id, 0);
                    books.Sent.Add(begun, books.Now, 1);
                    continue;
                case Certainty.Refused:
                    books.Refused.TryAdd(id, status?.Code == Code.TooManyRequests);
                    break;
            }

            await Wait.ForAsync(Pace, cancellationToken);
        }
    }

    private static async Task ReceiveAsync(FeatureRound round, Books books, CancellationToken cancellationToken)
    {
        while (!books.IsSent || books.Acked.Keys.Any(id => !books.Consumed.ContainsKey(id)))
        {
            var begun = books.Now;
            var batch = await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 3, waitSeconds: 0.5), cancellationToken);
            books.Received.Add(begun, books.Now, batch.Count);
            foreach (var message in batch)
            {
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    books.Consumed.TryAdd(message.SystemProperties.MessageId, 0);
                }
            }
        }
    }

    private static async Task CheckStoredAsync(FeatureRound round, Books books, CancellationToken cancellationToken)
    {
        var stored = (await round.Operator.ReadAllAsync(round.Topic, cancellationToken))
            .CountBy(message => message.SystemProperties.MessageId).ToDictionary();
        foreach (var id in books.Refused.Keys)
        {
            round.Check(!stored.ContainsKey(id), $"{id} was refused and yet is stored");
        }

        foreach (var id in books.Acked.Keys)
        {
            round.Check(stored.GetValueOrDefault(id) == 1, $"{id} was acknowledged and is stored {stored.GetValueOrDefault(id)} times");
        }

        round.Check(books.Refused.Values.Any(byQuota => byQuota), "no send met the quota");
    }

    private sealed class Books
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();

        public TimeSpan Now => _watch.Elapsed;

        public PassHistory Sent { get; } = new();

        public PassHistory Received { get; } = new();

        public ConcurrentDictionary<string, byte> Acked { get; } = new();

        public ConcurrentDictionary<string, byte> Consumed { get; } = new();

        /// <summary>True: because of a quota, or of a full queue in the server.</summary>
        public ConcurrentDictionary<string, bool> Refused { get; } = new();

        public bool IsSent { get; set; }
    }
}
