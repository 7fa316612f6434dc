using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What the clients of a broadcast group were given, each on its own (I65).</summary>
/// <remarks>
/// Receipt handles name the member group, and the log says where that began to read the topic: from there on its client is to get every
/// message, and none from before.
/// </remarks>
internal sealed class BroadcastHistory(SimulatedCluster cluster, BroadcastScenario scenario)
{
    public const string Topic = "news";
    public const string Group = "everyone";
    public const string IdPrefix = "n:";

    private readonly HashSet<string> _invoked = new(StringComparer.Ordinal);
    private readonly List<StoredMessage> _stored = [];
    private readonly Dictionary<int, LogPosition> _begun = [];
    private readonly Dictionary<int, string> _clientOf = [];

    public BroadcastScenario Scenario => scenario;

    public SimulationRandom Random { get; } = new(scenario.Seed);

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    public void Invoke(string messageId) => _invoked.Add(messageId);

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message)
    {
        cluster.Checks.Check("I42", _invoked.Contains(message.Id), $"{message.Id} is in the log, but nobody sent it");
        _stored.Add(message);
    }

    /// <summary>A record has a group read a topic from its end on; the first one of a member counts.</summary>
    public void Subscribed(LogPosition position, SubscribeCommand command) => _begun.TryAdd(command.GroupId, position);

    /// <summary>Members end.</summary>
    public void Ended() => cluster.Marks.Reach("member of a broadcast group ended");

    /// <summary>Messages came to a client.</summary>
    public void Delivered(BroadcastView view, IReadOnlyList<DeliveredMessage> batch)
    {
        foreach (var message in batch)
        {
            Delivered(view, message);
        }

        foreach (var lane in batch.Where(static message => message.MessageGroup is not null)
            .GroupBy(static message => (message.QueueId, message.MessageGroup)))
        {
            cluster.Checks.Check(
                "I65",
                lane.Zip(lane.Skip(1)).All(static pair => pair.First.QueueOffset.Value < pair.Second.QueueOffset.Value),
                $"{view.ClientId} is given message group {lane.Key} out of order");
        }
    }

    /// <summary>An ack of a client succeeded.</summary>
    public void Acked(BroadcastView view, DeliveredMessage message) =>
        view.Of(message.QueueId, message.QueueOffset.Value).FinishedBefore = cluster.Oracle.End.Value;

    /// <summary>What a client is to get and has not finished, as a serving node knows the group; null when it has all.</summary>
    public string? DescribeOpen(BroadcastView view, GroupState group)
    {
        if (!group.Members.TryGetValue(view.ClientId, out var member) || !_begun.TryGetValue(member.View.Id, out var begun))
        {
            return $"{view.ClientId} is no member that reads;";
        }

        var open = _stored.Find(message => message.Position > begun
            && !cluster.Oracle.IsGone(message)
            && !view.Of(message.QueueId, message.Offset).AckInvoked);
        return open is null ? null : $"{view.ClientId}: {open.Id} ({open.QueueId}/{open.Offset})";
    }

    private void Delivered(BroadcastView view, DeliveredMessage message)
    {
        var stored = cluster.Oracle.FindAt(message.Position);
        cluster.Checks.Check(
            "I7",
            stored is not null && stored.Id == message.MessageId && stored.QueueId == message.QueueId
                && stored.Offset == message.QueueOffset.Value && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
            $"{view.ClientId} is given {message.MessageId} at {message.QueueId}/{message.QueueOffset}");
        var receipt = ReceiptOf(message);
        cluster.Checks.Check(
            "I65",
            _clientOf.TryAdd(receipt.GroupId, view.ClientId) || _clientOf[receipt.GroupId] == view.ClientId,
            $"{view.ClientId} is given messages of {_clientOf[receipt.GroupId]}");
        cluster.Checks.Check(
            "I65",
            view.GroupId is 0 || view.GroupId == receipt.GroupId,
            $"{view.ClientId} was member {view.GroupId} and is member {receipt.GroupId}");
        view.GroupId = receipt.GroupId;
        cluster.Checks.Check(
            "I65",
            _begun.TryGetValue(receipt.GroupId, out var begun) && message.Position > begun,
            $"{view.ClientId} is given {message.MessageId} at {message.Position}, it began at {begun}");
        var (progress, delivery) = (view.Of(message.QueueId, message.QueueOffset.Value), receipt.Delivery.DeliveryId);
        cluster.Checks.Check(
            "I65",
            delivery < progress.FinishedBefore || progress.FinishedBefore == 0,
            $"{view.ClientId} is given {message.MessageId} by delivery {delivery}, finished before {progress.FinishedBefore}");
        cluster.Checks.Check(
            "I65",
            message.Attempt <= view.ReceivesInvoked && message.Attempt > progress.Attempt == delivery > progress.Delivery,
            $"{view.ClientId} is given {message.MessageId} in attempt {message.Attempt} by delivery {delivery}, "
                + $"it had attempt {progress.Attempt} by {progress.Delivery}, {view.ReceivesInvoked} receives");
        if (delivery > progress.Delivery)
        {
            (progress.Delivery, progress.Attempt) = (delivery, message.Attempt);
        }
    }

    private Receipt ReceiptOf(DeliveredMessage message)
    {
        cluster.Checks.Check(
            "I7", cluster.Receipts.TryDecode(message.ReceiptHandle, out var receipt), $"{message.ReceiptHandle} is no receipt handle");
        return receipt;
    }
}

/// <summary>What one client of the broadcast group has seen.</summary>
internal sealed class BroadcastView(string clientId)
{
    private readonly Dictionary<(int Queue, long Offset), Progress> _progress = [];

    public string ClientId => clientId;

    /// <summary>Its member group, 0 before its first message.</summary>
    public int GroupId { get; set; }

    public int ReceivesInvoked { get; set; }

    public Progress Of(int queue, long offset)
    {
        if (!_progress.TryGetValue((queue, offset), out var progress))
        {
            _progress.Add((queue, offset), progress = new Progress());
        }

        return progress;
    }

    /// <summary>One message.</summary>
    public sealed class Progress
    {
        /// <summary>The newest delivery, and its attempt.</summary>
        public long Delivery { get; set; }

        public int Attempt { get; set; }

        public bool AckInvoked { get; set; }

        /// <summary>Where the committed log ended when it was certainly finished; 0 before.</summary>
        public long FinishedBefore { get; set; }
    }
}
