using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// In a group that knows processed keys, a message whose key was acknowledged is finished without delivery, whoever leads; one whose key is
/// being worked on waits. Nothing is skipped whose key was not acknowledged.
/// </summary>
internal sealed class ProcessedKeys : IFeature
{
    private const int KeyCount = 12;
    private const int MessageCount = 48;
    private const int ConsumerCount = 3;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);

    public string Name => "dedup";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 },
            new Group { Name = round.Group, Dedup = new GroupDedup { By = DedupBy.Key } },
            cancellationToken);
        var keys = new KeyWatch(round);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var consumers = Enumerable.Range(0, ConsumerCount).Select(_ => ConsumeAsync(round, keys, stop.Token)).ToArray();
        var sent = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(
                round.Topic, $"{number}", message => message.SystemProperties.Keys.Add(KeyOf(number)), cancellationToken);
            sent = number + 1;
        }

        // All is finished, by an acknowledgement or because of one.
        await keys.AllFinishedAsync(cancellationToken);
        await stop.CancelAsync();
        await Task.WhenAll(consumers);
        keys.CheckAll(Enumerable.Range(0, sent).Select(KeyOf).Distinct());
    }

    // Keys that come soon again, and new ones all the time.
    private static string KeyOf(int number) => $"key-{(number / (2 * KeyCount) * KeyCount) + (number % KeyCount)}";

    private static async Task ConsumeAsync(FeatureRound round, KeyWatch keys, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var begun = keys.Begin();
                var batch = await round.Client.ReceiveAsync(
                    round.Receive(batch: 4, invisibleSeconds: KeyWatch.InvisibleSeconds, waitSeconds: 0.5), cancellationToken);
                keys.Delivered(begun, batch);
                foreach (var message in batch)
                {
                    await FinishAsync(round, keys, message, cancellationToken);
                }
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    // Of first deliveries every fourth is handed back, and some are forgotten until their leases end.
    private static async Task FinishAsync(FeatureRound round, KeyWatch keys, Message message, CancellationToken cancellationToken)
    {
        var first = message.SystemProperties is { DeliveryAttempt: 1 } system ? system.QueueOffset : -1;
        if (first % 7 == 2)
        {
            return;
        }

        keys.Ending(message);
        if (first % 4 == 1)
        {
            await round.Client.GiveBackAsync(round.Group, message, TimeSpan.FromMilliseconds(200), cancellationToken);
        }
        else if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
        {
            keys.Acked(message);
        }
    }

    /// <summary>What is known of each key, and what may not be delivered because of it.</summary>
    private sealed class KeyWatch(FeatureRound round)
    {
        public const double InvisibleSeconds = 1;

        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        // Log time may run a hundredth faster than this clock.
        private static readonly TimeSpan LeaseMin = TimeSpan.FromSeconds(InvisibleSeconds * 0.98);

        private readonly Lock _lock = new();
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private readonly HashSet<string> _acked = [];
        private readonly Dictionary<string, (MessagePlace Place, TimeSpan Until)> _working = [];

        public Begun Begin()
        {
            lock (_lock)
            {
                return new Begun([.. _acked], _watch.Elapsed);
            }
        }

        public void Delivered(Begun begun, IReadOnlyList<Message> batch)
        {
            lock (_lock)
            {
                foreach (var message in batch)
                {
                    var (key, place) = (Key(message), MessagePlace.Of(message));
                    round.Check(!begun.Acked.Contains(key), $"{place} was delivered although its key {key} had been acknowledged");
                    round.Check(
                        !_working.TryGetValue(key, out var other) || other.Place == place || other.Until < _watch.Elapsed,
                        $"{place} was delivered while {other.Place} of its key {key} was being worked on");
                    _working[key] = (place, begun.At + LeaseMin);
                }
            }
        }

        /// <summary>From here on the key may be free.</summary>
        public void Ending(Message message)
        {
            lock (_lock)
            {
                if (_working.TryGetValue(Key(message), out var working) && working.Place == MessagePlace.Of(message))
                {
                    _working.Remove(Key(message));
                }
            }
        }

        public void Acked(Message message)
        {
            lock (_lock)
            {
                _acked.Add(Key(message));
            }
        }

        public async Task AllFinishedAsync(CancellationToken cancellationToken) => round.Check(
            await Wait.UntilAsync(
                Patience, async () => await round.Operator.LagAsync(round.Group, cancellationToken) == 0, cancellationToken),
            "the group did not finish all messages");

        public void CheckAll(IEnumerable<string> keys)
        {
            lock (_lock)
            {
                foreach (var key in keys)
                {
                    round.Check(_acked.Contains(key), $"no message of {key} was acknowledged, and yet all are finished");
                }
            }
        }

        private static string Key(Message message) => message.SystemProperties.Keys[0];
    }

    /// <summary>A receive that begins.</summary>
    private sealed record Begun(HashSet<string> Acked, TimeSpan At);
}
