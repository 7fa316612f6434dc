using System.Collections.Concurrent;
using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>A paused group is delivered nothing more until it is resumed, whoever leads; what it has in flight it may finish, and
/// nothing is lost by it.</summary>
internal sealed class PausedGroups : IFeature
{
    private const int MessageCount = 60;
    private const int ConsumerCount = 2;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan OpenFor = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan PausedFor = TimeSpan.FromMilliseconds(700);

    public string Name => "pause";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 }, new Group { Name = round.Group }, cancellationToken);
        var gate = new Gate();
        var acked = new ConcurrentDictionary<string, byte>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var consumers = Enumerable.Range(0, ConsumerCount).Select(_ => ConsumeAsync(round, gate, acked, stop.Token)).ToArray();
        var sending = SendAsync(round, cancellationToken);
        while (!sending.IsCompleted || gate.PauseCount < 3)
        {
            await Wait.ForAsync(OpenFor, cancellationToken);
            await round.Operator.PauseAsync(round.Group, cancellationToken);
            gate.Close();
            await Wait.ForAsync(PausedFor, cancellationToken);
            gate.Open();
            await round.Operator.ResumeAsync(round.Group, cancellationToken);
        }

        var count = await sending;
        while (acked.Count < count)
        {
            await Wait.ForAsync(Pace, cancellationToken);
        }

        await stop.CancelAsync();
        await Task.WhenAll(consumers);
        round.Check(gate.BarredReceives > 0, "no receive began in a pause");
    }

    private static async Task<int> SendAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
            count = number + 1;
        }

        return count;
    }

    private static async Task ConsumeAsync(
        FeatureRound round, Gate gate, ConcurrentDictionary<string, byte> acked, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var pause = gate.Begin();
                var watch = Stopwatch.StartNew();
                var batch = await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 3, waitSeconds: 0.3), cancellationToken);
                round.Check(
                    batch.Count == 0 || !gate.IsClosedSince(pause),
                    $"{batch.Count} messages were delivered by a receive that began after the group was paused");
                foreach (var message in batch)
                {
                    var code = await round.Client.AckAsync(round.Group, message, cancellationToken);
                    round.Check(
                        code == Code.Ok || watch.Elapsed > TimeSpan.FromSeconds(2.9),
                        $"{MessagePlace.Of(message)} could not be finished: {code}");
                    if (code == Code.Ok)
                    {
                        acked.TryAdd(message.SystemProperties.MessageId, 0);
                    }
                }
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    /// <summary>Closed from the answer to a pause until somebody asks for its end.</summary>
    private sealed class Gate
    {
        private readonly Lock _lock = new();
        private bool _isClosed;

        public int PauseCount { get; private set; }

        public int BarredReceives { get; private set; }

        public void Close()
        {
            lock (_lock)
            {
                PauseCount++;
                _isClosed = true;
            }
        }

        public void Open()
        {
            lock (_lock)
            {
                _isClosed = false;
            }
        }

        /// <summary>The number of the pause in which a receive begins; null outside of one.</summary>
        public int? Begin()
        {
            lock (_lock)
            {
                BarredReceives += _isClosed ? 1 : 0;
                return _isClosed ? PauseCount : null;
            }
        }

        public bool IsClosedSince(int? pause)
        {
            lock (_lock)
            {
                return pause is { } number && _isClosed && number == PauseCount;
            }
        }
    }
}
