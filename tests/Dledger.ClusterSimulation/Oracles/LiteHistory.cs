using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What clients with sets of lite topics were given (I69).</summary>
/// <remarks>
/// Each lite topic has few clients that ever ask for it. A message must not come to another client; and once a client was told that it
/// left a lite topic, no receive that it begins later brings a message of it, unless a call was lost on the way that may have added it.
/// </remarks>
internal sealed class LiteHistory(SimulatedCluster cluster)
{
    public const string Topic = "sessions";
    public const string Group = "session-readers";

    private const string IdPrefix = "l:";

    private readonly Dictionary<string, string> _liteTopics = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _early = new(StringComparer.Ordinal);
    private int _number;

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

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message) =>
        cluster.Checks.Check("I42", _liteTopics.ContainsKey(message.Id), $"{message.Id} is in the log, but nobody sent it");

    /// <summary>A send was answered. Its message may have been delivered before.</summary>
    public void Acked(string id)
    {
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
            if (!_open.Remove(message.MessageId))
            {
                _early.Add(message.MessageId);
            }
        }
    }
}
