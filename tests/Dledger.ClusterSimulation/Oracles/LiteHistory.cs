using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What clients with sets of lite topics were given (I69), and what became of lite topics that ended (I75).</summary>
/// <remarks>
/// Each lite topic has few clients that ever ask for it. A message must not come to another client; and once a client was told that it
/// left a lite topic, no receive that it begins later brings a message of it, unless a call was lost on the way that may have added it.
/// </remarks>
/// <param name="cluster">Whose.</param>
/// <param name="expiry">For so long without a message a lite topic is kept at least, microseconds.</param>
internal sealed class LiteHistory(SimulatedCluster cluster, long expiry)
{
    public const string Topic = "sessions";
    public const string Group = "session-readers";

    private const string IdPrefix = "l:";

    private readonly Dictionary<string, string> _liteTopics = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _early = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ackInvoked = new(StringComparer.Ordinal);
    private readonly List<(long Position, int QueueId, long FirstKept)> _ends = [];
    private readonly LiteTopics _topics = new();
    private int _number;

    public LeaseLedger Ledger { get; } = new(cluster);

    /// <summary>Messages that were acknowledged to their producers and reached nobody.</summary>
    public int OpenCount => _open.Count(id => cluster.Oracle.Find(id) is not { } message || !cluster.Oracle.IsGone(message));

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A producer is about to send; each attempt has an id of its own.</summary>
    public string Invoke(string liteTopic)
    {
        var id = $"{IdPrefix}{++_number}";
        _liteTopics.Add(id, liteTopic);
        return id;
    }

    /// <summary>Whether a message of the log joins its queue.</summary>
    public bool Admits(in RecordView record, long logTime)
    {
        var id = Encoding.UTF8.GetString(record.Key);
        cluster.Checks.Check("I42", _liteTopics.ContainsKey(id), $"{id} is in the log, but nobody sent it");
        Ledger.TopicId = record.TopicId;
        var isAdmitted = _topics.Admits(record, _liteTopics[id], logTime);
        if (!isAdmitted)
        {
            cluster.Marks.Reach("message of a lite topic that ended meanwhile");
        }

        return isAdmitted;
    }

    /// <summary>A lite topic is made, unless it exists.</summary>
    public void Created(LiteCreateCommand command, long logTime) => _topics.Create(command.Name, logTime);

    /// <summary>Lite topics end, those that are there.</summary>
    public void Ended(LiteEndCommand command, LogPosition position, long logTime)
    {
        foreach (var (name, queueId) in _topics.End(command, expiry, logTime))
        {
            cluster.Marks.Reach(command.IsForced ? "lite topic deleted" : "lite topic ended by itself");
            foreach (var message in cluster.Oracle.Emptied(command.TopicId, queueId))
            {
                cluster.Checks.Check(
                    "I75",
                    command.IsForced || _ackInvoked.Contains(message.Id) || message.Position < cluster.Oracle.LogStart,
                    $"lite topic {name} ends by itself at {position} with {message.Id}, which nobody acknowledged");
            }

            _ends.Add((position.Value, queueId, cluster.Oracle.FirstKept(command.TopicId, queueId)));
        }
    }

    public void AckInvoked(string id) => _ackInvoked.Add(id);

    /// <summary>A send was answered. Its message may have been delivered before.</summary>
    public void Acked(string id)
    {
        cluster.Checks.Check("I69", cluster.Oracle.Find(id) is not null, $"{id} is acked, but it joined no queue");
        if (!_early.Remove(id))
        {
            _open.Add(id);
        }
    }

    /// <summary>A receive was answered.</summary>
    /// <param name="client">Whose it was.</param>
    /// <param name="batch">What it brought.</param>
    /// <param name="allowed">The lite topics that the client may have had in its set since the receive began.</param>
    public void Delivered(string client, IReadOnlyList<DeliveredMessage> batch, IReadOnlySet<string> allowed)
    {
        foreach (var message in batch)
        {
            var liteTopic = _liteTopics[message.MessageId];
            cluster.Checks.Check(
                "I69",
                message.LiteTopic == liteTopic && allowed.Contains(liteTopic),
                $"{message.MessageId} of lite topic {liteTopic} comes to {client} as one of {message.LiteTopic}, which asks for "
                    + $"{string.Join(", ", allowed.Order(StringComparer.Ordinal))}");
            CheckEnds(message);
            if (!_open.Remove(message.MessageId))
            {
                _early.Add(message.MessageId);
            }
        }
    }

    // What a lite topic held when it ended is given to nobody by a later lease, least of all as one of the next lite topic's.
    private void CheckEnds(DeliveredMessage message)
    {
        var (delivery, lease) = Ledger.Of(message);
        foreach (var (position, queueId, firstKept) in _ends)
        {
            cluster.Checks.Check(
                "I75",
                queueId != delivery.QueueId || delivery.Offset >= firstKept || position > lease.Position,
                $"{message.MessageId} is handed out at {lease.Position}, its lite topic ended at {position}");
        }
    }
}
