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
internal sealed class OrderHistory(SimulatedCluster cluster, OrderScenario scenario)
{
    public const string Topic = "letters";
    public const string Group = "lanes";

    private const string IdPrefix = "f:";

    private readonly Dictionary<string, List<StoredMessage>> _byGroup = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Progress> _progress = new(StringComparer.Ordinal);
    private readonly HashSet<string> _invoked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _firstOpen = new(StringComparer.Ordinal);
    private int _number;
    private int _lostAnswers;
    private int _receivesUnderWay;

    public OrderScenario Scenario => scenario;

    public SimulationRandom Random { get; } = new(scenario.Seed);

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
        cluster.Checks.Check("I42", _invoked.Contains(message.Id), $"{message.Id} is in the log, but nobody sent it");
        var messageGroup = GroupOf(message.Id);
        if (!_byGroup.TryGetValue(messageGroup, out var list))
        {
            _byGroup.Add(messageGroup, list = []);
        }

        cluster.Checks.Check(
            "I55",
            list.Count == 0 || list[^1].QueueId == message.QueueId,
            $"message group {messageGroup} is in queue {message.QueueId} and before in {(list.Count == 0 ? -1 : list[^1].QueueId)}");
        list.Add(message);
    }

    public void ReceiveInvoked() => _receivesUnderWay++;

    /// <summary>A receive was cut off: messages may have been leased to nobody, each of them once.</summary>
    public void AnswerLost()
    {
        _receivesUnderWay--;
        _lostAnswers++;
    }

    /// <summary>Messages came; the moment at which the call that brought them began.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> batch, long begun)
    {
        _receivesUnderWay--;
        if (batch.GroupBy(message => message.MessageGroup).Count() > 1)
        {
            cluster.Marks.Reach("several message groups in one batch");
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
        progress.AckedAt = isAcked == true ? Math.Min(progress.AckedAt, cluster.Events.Now) : progress.AckedAt;
        progress.PendingAcks--;
        progress.LostAcks += isAcked is null ? 1 : 0;
    }

    public void GiveUpInvoked(DeliveredMessage message) => Of(message).IsGivenUp = true;

    /// <summary>The leader says which messages are parked.</summary>
    public void Parked(IReadOnlyList<ParkedMessage> parked, long begun)
    {
        foreach (var message in parked.Where(message => message.MessageId.Length > 0))
        {
            cluster.Marks.Reach("message parked");
            cluster.Checks.Check(
                "I55", scenario.Poison == PoisonMode.Park, $"{message.MessageId} is parked in a group that does not");
            var progress = Of(message.MessageId);
            if (message.WaitingBehind > 0)
            {
                cluster.Marks.Reach("messages wait behind a parked one");
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
        foreach (var message in messages)
        {
            var index = all.FindIndex(each => each.Id == message.MessageId);
            cluster.Checks.Check(
                "I55",
                index > last,
                $"{Group} is given {string.Join(", ", messages.Select(each => each.MessageId))} in this order");
            for (; next < index; next++)
            {
                var before = all[next];
                cluster.Checks.Check(
                    "I55",
                    MayBeOver(before),
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
        cluster.Checks.Check(
            "I45",
            progress.AckedAt >= begun,
            $"{Group} acked {message.MessageId} at {progress.AckedAt} and is given it by a call that began at {begun}");
        cluster.Checks.Check(
            "I55",
            begun <= progress.ParkedSeen || progress.ParkedSeen == long.MinValue,
            $"{Group} is given {message.MessageId} at {begun}, but it was parked at {progress.ParkedSeen} and nobody released it");
        cluster.Checks.Check(
            "I44",
            message.Attempt > progress.Attempt || progress.ReleasedAt == long.MaxValue,
            $"{Group} is given {message.MessageId} in attempt {message.Attempt} after attempt {progress.Attempt}");
        cluster.Checks.Check(
            "I44",
            message.Attempt <= scenario.AttemptsMax || scenario.Poison == PoisonMode.Block,
            $"{Group} is given {message.MessageId} in attempt {message.Attempt} of {scenario.AttemptsMax}");
        if (progress.ReleasedAt == long.MaxValue)
        {
            cluster.Marks.Reach("released message delivered");
        }

        if (message.Attempt > scenario.AttemptsMax)
        {
            cluster.Marks.Reach("blocked message tried again");
        }

        progress.Attempt = message.Attempt;
        progress.LostBefore = _lostAnswers;
    }

    // In a group that dead-letters, attempts that nobody heard of may have been the last ones.
    private bool MayBeOver(StoredMessage message)
    {
        var progress = Of(message.Id);
        return progress.MayBeAcked
            || progress.IsDropped
            || cluster.Oracle.IsGone(message)
            || (scenario.Poison == PoisonMode.DeadLetter
                && (progress.IsGivenUp
                    || progress.Attempt + (_lostAnswers - progress.LostBefore) + _receivesUnderWay >= scenario.AttemptsMax));
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

        public int LostBefore { get; set; }

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
        public bool IsSettled => IsAcked || LostAcks > 0 || IsDropped;
    }
}
