using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// In a topic of type PRIORITY a receive takes the most urgent messages that are there, equal ones in the order of their sends; a retry is
/// as urgent as before, whoever leads.
/// </summary>
internal sealed class PriorityTopics : IFeature
{
    private const int BandCount = 4;
    private const int MessageCount = 80;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(12);
    private static readonly TimeSpan WorkTime = TimeSpan.FromMilliseconds(40);

    public string Name => "priority";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = BandCount, AcceptMessageTypes = { MessageType.Priority } },
            new Group { Name = round.Group },
            cancellationToken);
        var backlog = new Backlog(round);
        var receiving = ReceiveAsync(round, backlog, cancellationToken);
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            var priority = round.Random.Next(BandCount);
            var entry = await round.Client.SendAsync(
                round.Topic,
                $"{number}",
                message =>
                {
                    message.SystemProperties.MessageType = MessageType.Priority;
                    message.SystemProperties.Priority = priority;
                },
                cancellationToken);
            backlog.Stored(new MessagePlace(priority, entry.Offset));
        }

        backlog.IsSent = true;
        await receiving;
    }

    // One consumer, slower than the sender, so that there is something to choose from.
    private static async Task ReceiveAsync(FeatureRound round, Backlog backlog, CancellationToken cancellationToken)
    {
        while (!backlog.IsDone)
        {
            backlog.Begin();
            var (batch, isWhole) = await round.TryReceiveAsync(
                round.Client, round.Receive(batch: 2, invisibleSeconds: Backlog.InvisibleSeconds, waitSeconds: 0.5), cancellationToken);
            backlog.Delivered(batch, isWhole);
            foreach (var message in batch)
            {
                if (message.SystemProperties is { DeliveryAttempt: 1 } system && system.QueueOffset % 6 == 2)
                {
                    await round.Client.GiveBackAsync(round.Group, message, Backlog.BackAfter, cancellationToken);
                    backlog.GivenBack(MessagePlace.Of(message));
                }
                else if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    backlog.Acked(MessagePlace.Of(message));
                }
            }

            await Wait.ForAsync(backlog.IsSent ? TimeSpan.Zero : WorkTime, cancellationToken);
        }
    }

    /// <summary>What certainly waits to be delivered at the beginning of a receive. The queue of a message is its priority.</summary>
    private sealed class Backlog(FeatureRound round)
    {
        public const double InvisibleSeconds = 3;

        public static readonly TimeSpan BackAfter = TimeSpan.FromMilliseconds(200);

        // The leader looks for what is due in steps.
        private static readonly TimeSpan BackSurely = BackAfter + TimeSpan.FromSeconds(1);

        private readonly Lock _lock = new();
        private readonly Stopwatch _watch = Stopwatch.StartNew();

        // When each may be counted on; those in flight and those that a lost receive may have taken have no entry.
        private readonly Dictionary<MessagePlace, TimeSpan> _waiting = [];
        private readonly HashSet<MessagePlace> _stored = [];
        private readonly HashSet<MessagePlace> _delivered = [];
        private readonly HashSet<MessagePlace> _acked = [];
        private HashSet<MessagePlace> _there = [];

        public bool IsSent { get; set; }

        public bool IsDone
        {
            get
            {
                lock (_lock)
                {
                    return IsSent && _acked.IsSupersetOf(_stored);
                }
            }
        }

        public void Stored(MessagePlace place)
        {
            lock (_lock)
            {
                _stored.Add(place);
                if (!_delivered.Contains(place))
                {
                    _waiting[place] = TimeSpan.Zero;
                }
            }
        }

        public void Begin()
        {
            lock (_lock)
            {
                _there = [.. _waiting.Where(waiting => waiting.Value <= _watch.Elapsed).Select(waiting => waiting.Key)];
            }
        }

        public void Delivered(IReadOnlyList<Message> batch, bool isWhole)
        {
            lock (_lock)
            {
                if (!isWhole)
                {
                    // Any of them may have been handed out, for as long as a lease lasts.
                    var surely = _watch.Elapsed + TimeSpan.FromSeconds(InvisibleSeconds + 1);
                    foreach (var place in _waiting.Keys)
                    {
                        _waiting[place] = surely;
                    }
                }

                foreach (var (place, attempt) in batch.Select(each => (MessagePlace.Of(each), each.SystemProperties.DeliveryAttempt)))
                {
                    _there.Remove(place);
                    _waiting.Remove(place);
                    _delivered.Add(place);
                    if (!isWhole)
                    {
                        continue;
                    }

                    var passedOver = _there.Where(other => other.Queue > place.Queue).Order(ByUrgency).ToList();
                    round.Check(passedOver.Count == 0, $"{place} came while {string.Join(", ", passedOver)} waited, more urgent");
                    var before = _there.Where(other => other.Queue == place.Queue && other.Offset < place.Offset).ToList();
                    round.Check(
                        before.Count == 0 || attempt > 1, $"{place} came before {string.Join(", ", before)} of its priority");
                }
            }
        }

        public void GivenBack(MessagePlace place)
        {
            lock (_lock)
            {
                _waiting[place] = _watch.Elapsed + BackSurely;
            }
        }

        public void Acked(MessagePlace place)
        {
            lock (_lock)
            {
                _acked.Add(place);
            }
        }

        private static Comparer<MessagePlace> ByUrgency => Comparer<MessagePlace>.Create(
            static (left, right) => (right.Queue, left.Offset).CompareTo((left.Queue, right.Offset)));
    }
}
