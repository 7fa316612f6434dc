using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>In an exclusive group only one client at a time is given messages of a topic, whoever leads; another one takes its place when
/// it has said goodbye.</summary>
internal sealed class ExclusiveGroups : IFeature
{
    private const int ClientCount = 3;
    private const int MessageCount = 60;
    private const int BatchesEach = 6;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);

    public string Name => "exclusive";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 },
            new Group { Name = round.Group, Exclusive = true },
            cancellationToken);
        var place = new HolderPlace(round);
        var acked = new ConcurrentDictionary<string, byte>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var clients = Enumerable.Range(0, ClientCount)
            .Select(number => ConsumeAsync(round, $"{round.Group}-{number}", place, acked, stop.Token)).ToArray();
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
            count = number + 1;
        }

        while (acked.Count < count)
        {
            await Wait.ForAsync(Pace, cancellationToken);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        round.Check(place.ChangeCount > 0, "no client took the place of another one");
    }

    private static async Task ConsumeAsync(
        FeatureRound round, string name, HolderPlace place, ConcurrentDictionary<string, byte> acked, CancellationToken cancellationToken)
    {
        using var client = round.Client.As(name);
        try
        {
            for (var batches = 0; !cancellationToken.IsCancellationRequested;)
            {
                var batch = await client.ReceiveAsync(
                    round.Receive(batch: 2, invisibleSeconds: 3, waitSeconds: 0.3), cancellationToken);
                batches += batch.Count == 0 ? 0 : 1;
                place.Delivered(name, batch.Count);
                foreach (var message in batch)
                {
                    if (await client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                    {
                        acked.TryAdd(message.SystemProperties.MessageId, 0);
                    }
                }

                if (batches >= BatchesEach && place.IsHeldBy(name))
                {
                    await LeaveAsync(round, client, name, place, cancellationToken);
                    batches = 0;
                }
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    // A goodbye that only the leader heard that died is said again.
    private static async Task LeaveAsync(
        FeatureRound round, PatientClient client, string name, HolderPlace place, CancellationToken cancellationToken)
    {
        place.Leaving(name);
        var request = new NotifyClientTerminationRequest { Group = new Resource { Name = round.Group } };
        while (place.IsLeft)
        {
            await client.CallAsync(
                async (node, options) => await node.Messaging.NotifyClientTerminationAsync(request, options),
                answer => answer.Status,
                cancellationToken);
            await Wait.UntilAsync(TimeSpan.FromMilliseconds(500), () => !place.IsLeft, cancellationToken);
        }
    }

    /// <summary>Who is given messages.</summary>
    private sealed class HolderPlace(FeatureRound round)
    {
        private readonly Lock _lock = new();
        private string? _holder;
        private bool _isLeft;

        public int ChangeCount { get; private set; }

        /// <summary>Whether the holder has said goodbye and nobody has taken its place.</summary>
        public bool IsLeft
        {
            get
            {
                lock (_lock)
                {
                    return _isLeft;
                }
            }
        }

        public bool IsHeldBy(string name)
        {
            lock (_lock)
            {
                return _holder == name && !_isLeft;
            }
        }

        public void Leaving(string name)
        {
            lock (_lock)
            {
                _isLeft = _holder == name;
            }
        }

        // Before anybody was given anything anyone may be the first.
        public void Delivered(string name, int count)
        {
            if (count == 0)
            {
                return;
            }

            lock (_lock)
            {
                round.Check(
                    _holder is null || _holder == name || _isLeft, $"{name} was given {count} messages while {_holder} held the place");
                ChangeCount += _holder is not null && _holder != name ? 1 : 0;
                _isLeft = false;
                _holder = name;
            }
        }
    }
}
