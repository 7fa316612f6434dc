using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Parking;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What the consumers of an ordered group were given of its message groups, and what became of it (I55).</summary>
/// <remarks>
/// The rule of one message group: whatever lies before a delivered message is over, as far as anybody can know, or part of the same batch
/// before it. So two batches of one message group are never under way at once, and nothing overtakes what was parked.
/// </remarks>
internal sealed class OrderHistory
{
    public const string Topic = "letters";
    public const string Group = "lanes";

    private const string IdPrefix = "f:";

    private readonly SimulatedCluster _cluster;
    private readonly OrderScenario _scenario;
    private readonly Dictionary<string, List<StoredMessage>> _byGroup = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Progress> _progress = new(StringComparer.Ordinal);
    private readonly HashSet<string> _invoked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _firstOpen = new(StringComparer.Ordinal);
    private readonly Dictionary<(int QueueId, long Offset), string> _ids = [];
    private int _number;

    public OrderHistory(SimulatedCluster cluster, OrderScenario scenario)
    {
        _cluster = cluster;
        _scenario = scenario;
        Random = new SimulationRandom(scenario.Seed);
        Ledger = new LeaseLedger(cluster) { Forwarded = Forwarded };
    }

    public OrderScenario Scenario => _scenario;

    public SimulationRandom Random { get; }

    public LeaseLedger Ledger { get; }

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A producer is about to send; each attempt has an id of its own.</summary>
    public string Invoke(string messageGroup)
    {
        var id = $"{IdPrefix}{messageGroup}:{++_number}";
        _invoked.Add(id);
        return id;
    }

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message)
    {
        _cluster.Checks.Check("I42", _invoked.Contains(message.Id), $"{message.Id} is in the log, but nobody sent it");
        var messageGroup = GroupOf(message.Id);
        if (!_byGroup.TryGetValue(messageGroup, out var list))
        {
            _byGroup.Add(messageGroup, list = []);
        }

        _cluster.Checks.Check(
            "I55",
            list.Count == 0 || list[^1].QueueId == message.QueueId,
            $"message group {messageGroup} is in queue {message.QueueId} and before in {(list.Count == 0 ? -1 : list[^1].QueueId)}");
        list.Add(message);
        Ledger.TopicId = message.TopicId;
        _ids.Add((message.QueueId, message.Offset), message.Id);
    }

    /// <summary>Messages came; the moment at which the call that brought them began.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> batch, long begun)
    {
        if (batch.GroupBy(message => message.MessageGroup).Count() > 1)
        {
            _cluster.Marks.Reach("several message groups in one batch");
        }

        foreach (var messages in batch.GroupBy(message => message.MessageGroup!))
        {
            CheckOrder(messages.Key, [.. messages]);
        }

        foreach (var message in batch)
        {
            CheckDelivery(message, begun);
        }
    }

    public void AckInvoked(DeliveredMessage message) => Of(message).PendingAcks++;

    /// <summary>An ack ended; null: nobody knows how.</summary>
    public void AckEnded(DeliveredMessage message, bool? isAcked)
    {
        var progress = Of(message);
        progress.AckedAt = isAcked == true ? Math.Min(progress.AckedAt, _cluster.Events.Now) : progress.AckedAt;
        progress.PendingAcks--;
        progress.LostAcks += isAcked is null ? 1 : 0;
    }

    public void GiveUpInvoked(DeliveredMessage message) => Of(message).IsGivenUp = true;

    /// <summary>The leader says which messages are parked.</summary>
    public void Parked(IReadOnlyList<ParkedMessage> parked, long begun)
    {
        foreach (var message in parked.Where(message => message.MessageId.Length > 0))
        {
            _cluster.Marks.Reach("message parked");
            _cluster.Checks.Check(
                "I55", _scenario.Poison == PoisonMode.Park, $"{message.MessageId} is parked in a group that does not");
            var progress = Of(message.MessageId);
            if (message.WaitingBehind > 0)
            {
                _cluster.Marks.Reach("messages wait behind a parked one");
            }

            progress.ParkedSeen = progress.ReleasedAt <= begun ? Math.Max(progress.ParkedSeen, begun) : progress.ParkedSeen;
        }
    }

    /// <summary>An operator is about to release or drop a parked message.</summary>
    public void ParkingEnds(ParkedMessage message, bool drops)
    {
        var progress = Of(message.MessageId);
        progress.ReleasedAt = long.MaxValue;
        progress.ParkedSeen = long.MinValue;
        progress.IsDropped |= drops;
    }

    private void CheckOrder(string messageGroup, List<DeliveredMessage> messages)
    {
        var all = _byGroup.GetValueOrDefault(messageGroup, []);
        var next = _firstOpen.GetValueOrDefault(messageGroup);
        while (next < all.Count && Of(all[next].Id).IsSettled)
        {
            next++;
        }

        _firstOpen[messageGroup] = next;
        var last = -1;
        var position = Ledger.Of(messages[0]).Lease.Position;
        foreach (var message in messages)
        {
            var index = all.FindIndex(each => each.Id == message.MessageId);
            _cluster.Checks.Check(
                "I55",
                index > last,
                $"{Group} is given {string.Join(", ", messages.Select(each => each.MessageId))} in this order");
            for (; next < index; next++)
            {
                var before = all[next];
                _cluster.Checks.Check(
                    "I55",
                    MayBeOver(before, position),
                    $"{Group} is given {message.MessageId} ({message.QueueId}/{message.QueueOffset}, attempt {message.Attempt}) "
                        + $"of message group {messageGroup} while {before.Id} ({before.Offset}) before it is not over");
            }

            last = index;
            next = Math.Max(next, index + 1);
        }
    }

    private void CheckDelivery(DeliveredMessage message, long begun)
    {
        var progress = Of(message);
        _cluster.Checks.Check(
            "I45",
            progress.AckedAt >= begun,
            $"{Group} acked {message.MessageId} at {progress.AckedAt} and is given it by a call that began at {begun}");
        _cluster.Checks.Check(
            "I55",
            begun <= progress.ParkedSeen || progress.ParkedSeen == long.MinValue,
            $"{Group} is given {message.MessageId} at {begun}, but it was parked at {progress.ParkedSeen} and nobody released it");
        _cluster.Checks.Check(
            "I44",
            message.Attempt > progress.Attempt || progress.ReleasedAt == long.MaxValue,
            $"{Group} is given {message.MessageId} in attempt {message.Attempt} after attempt {progress.Attempt}");
        _cluster.Checks.Check(
            "I44",
            message.Attempt <= _scenario.AttemptsMax || _scenario.Poison == PoisonMode.Block,
            $"{Group} is given {message.MessageId} in attempt {message.Attempt} of {_scenario.AttemptsMax}");
        if (progress.ReleasedAt == long.MaxValue)
        {
            _cluster.Marks.Reach("released message delivered");
        }

        if (message.Attempt > _scenario.AttemptsMax)
        {
            _cluster.Marks.Reach("blocked message tried again");
        }

        progress.Attempt = message.Attempt;
    }

    // What is to become a dead letter, or was dropped, holds the others up until its copy is in the log.
    private bool MayBeOver(StoredMessage message, long position) =>
        Of(message.Id).MayBeAcked
        || _cluster.Oracle.IsGone(message)
        || Ledger.IsForwardedBefore(message.QueueId, message.Offset, position);

    private void Forwarded(DeliveryReference delivery, long logTime)
    {
        var id = _ids[(delivery.QueueId, delivery.Offset)];
        var leases = Ledger.LeasedCount(delivery.QueueId, delivery.Offset);
        _cluster.Marks.Reach("message of a message group becomes a dead letter");
        _cluster.Checks.Check(
            "I55",
            _scenario.Poison switch
            {
                PoisonMode.Block => false,
                PoisonMode.Park => Of(id).IsDropped,
                _ => Of(id).IsGivenUp || leases >= _scenario.AttemptsMax,
            },
            $"{id} becomes a dead letter at {logTime} after {leases} leases of {_scenario.AttemptsMax}, in a group that does "
                + $"{_scenario.Poison}");
    }

    private static string GroupOf(string id) => id[IdPrefix.Length..id.LastIndexOf(':')];

    private Progress Of(DeliveredMessage message) => Of(message.MessageId);

    private Progress Of(string id)
    {
        if (!_progress.TryGetValue(id, out var progress))
        {
            _progress.Add(id, progress = new Progress());
        }

        return progress;
    }

    private sealed class Progress
    {
        public int Attempt { get; set; }

        public int PendingAcks { get; set; }

        public int LostAcks { get; set; }

        public long AckedAt { get; set; } = long.MaxValue;

        public bool IsAcked => AckedAt < long.MaxValue;

        public bool IsGivenUp { get; set; }

        public bool IsDropped { get; set; }

        /// <summary>When a look began that found it parked and was followed by no release; long.MinValue without one.</summary>
        public long ParkedSeen { get; set; } = long.MinValue;

        /// <summary>long.MaxValue once somebody tried to release it; else long.MinValue.</summary>
        public long ReleasedAt { get; set; } = long.MinValue;

        public bool MayBeAcked => IsAcked || PendingAcks > 0 || LostAcks > 0;

        /// <summary>Over for ever, as far as this history is concerned.</summary>
        public bool IsSettled => IsAcked || LostAcks > 0;
    }
}
