using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>
/// In an ordered group that parks, a message waits after its last attempt until it is released, and its message group behind it, in order;
/// what was released is handed out as if it had never been delivered.
/// </summary>
internal sealed class ParkedMessages : IFeature
{
    private const int GroupCount = 4;
    private const int MessageCount = 8;
    private const int AttemptsMax = 2;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan BackAfter = TimeSpan.FromMilliseconds(100);

    public string Name => "parked";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic
            {
                Name = round.Topic,
                QueueCount = 2,
                AcceptMessageTypes = { MessageType.Fifo },
                IdWindowTime = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)),
            },
            new Group { Name = round.Group, Fifo = true, Poison = PoisonMode.PoisonPark, MaxAttempts = AttemptsMax },
            cancellationToken);
        var order = new MessageGroupOrder(round, GroupCount);
        var parking = new Parking(round);
        Task[] workers =
        [
            ConsumeAsync(round, order, parking, cancellationToken),
            ConsumeAsync(round, order, parking, cancellationToken),
            ReleaseAsync(round, order, parking, cancellationToken),
        ];
        await order.SendAsync(MessageCount, Pace, cancellationToken);
        await Task.WhenAll(workers);
        round.Check(parking.ReleasedCount > 0, "nothing was parked");
        var letters = await round.Operator.ReadLettersAsync(round.Group, cancellationToken);
        round.Check(letters.Count == 0, "a message of a group that parks became a dead letter");
    }

    // Every fourth message of every other message group fails until somebody has released it.
    private static bool IsPoison(string id) => id.Split(':') is [var group, var number]
        && int.Parse(group, null) % 2 == 1 && int.Parse(number, null) % 4 == 1;

    private static async Task ConsumeAsync(
        FeatureRound round, MessageGroupOrder order, Parking parking, CancellationToken cancellationToken)
    {
        while (!order.IsDone)
        {
            var parked = parking.Begin();
            var (batch, isWhole) = await round.TryReceiveAsync(
                round.Client, round.Receive(batch: 1, invisibleSeconds: 3, waitSeconds: 0.3), cancellationToken);
            parking.Delivered(parked, batch, isWhole);
            order.Delivered(batch);
            foreach (var message in batch)
            {
                if (IsPoison(message.SystemProperties.MessageId) && !parking.IsReleased(message))
                {
                    await round.Client.GiveBackAsync(round.Group, message, BackAfter, cancellationToken);
                    continue;
                }

                order.AckInvoked(message);
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    order.Acked(message);
                }
            }
        }
    }

    private static async Task ReleaseAsync(
        FeatureRound round, MessageGroupOrder order, Parking parking, CancellationToken cancellationToken)
    {
        while (!order.IsDone)
        {
            var parked = (await round.Operator.ParkedAsync(round.Group, cancellationToken)).Messages;
            parking.Seen(parked);
            await Wait.ForAsync(Pace, cancellationToken);
            foreach (var message in parked)
            {
                parking.Releasing(message);
                await round.Operator.ReleaseAsync(
                    new ParkingSelector
                    {
                        Group = round.Group,
                        Topic = message.Topic,
                        QueueId = message.QueueId,
                        Offset = message.Offset,
                    },
                    cancellationToken);
            }
        }
    }

    /// <summary>Which messages are parked for certain, and which were released.</summary>
    private sealed class Parking(FeatureRound round)
    {
        private readonly ConcurrentDictionary<MessagePlace, byte> _parked = new();
        private readonly ConcurrentDictionary<MessagePlace, byte> _released = new();
        private readonly ConcurrentDictionary<MessagePlace, int> _attempts = new();
        private int _lostReceives;

        public int ReleasedCount => _released.Count;

        public IReadOnlyCollection<MessagePlace> Begin() => [.. _parked.Keys];

        public void Seen(IEnumerable<ParkedMessage> messages)
        {
            foreach (var message in messages)
            {
                var place = new MessagePlace(message.QueueId, message.Offset);
                if (!_released.ContainsKey(place))
                {
                    _parked.TryAdd(place, 0);
                }
            }
        }

        // From here on it may come, with attempts from the first.
        public void Releasing(ParkedMessage message)
        {
            var place = new MessagePlace(message.QueueId, message.Offset);
            _attempts[place] = 0;
            _released.TryAdd(place, 0);
            _parked.TryRemove(place, out _);
        }

        public bool IsReleased(Message message) => _released.ContainsKey(MessagePlace.Of(message));

        public void Delivered(IReadOnlyCollection<MessagePlace> parkedBefore, IReadOnlyList<Message> batch, bool isWhole)
        {
            var lost = isWhole ? Volatile.Read(ref _lostReceives) : Interlocked.Increment(ref _lostReceives);
            foreach (var message in batch)
            {
                var place = MessagePlace.Of(message);
                var attempt = message.SystemProperties.DeliveryAttempt;
                round.Check(
                    !parkedBefore.Contains(place) || _released.ContainsKey(place),
                    $"{place} came although it was parked and nobody released it");
                var before = _attempts.GetValueOrDefault(place);
                round.Check(
                    attempt > before && attempt <= before + 1 + lost && attempt <= AttemptsMax,
                    $"{place} came in attempt {attempt} after {before}, {lost} receives were lost, {AttemptsMax} attempts are allowed");
                _attempts[place] = attempt;
            }
        }
    }
}
