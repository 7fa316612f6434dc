using System.Globalization;
using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// A group that remembers the keys of what it processed (I66): what its consumers were given and acknowledged, beside what the log holds.
/// </summary>
/// <remarks>
/// The window is longer than a run and nothing becomes a dead letter: a key that was acknowledged is never delivered again, and in the end
/// somebody acknowledged every key, so what was finished without delivery was so for a good reason.
/// </remarks>
internal sealed class DedupHistory(SimulatedCluster cluster)
{
    public const string Topic = "keyed";
    public const string Group = "once-per-key";

    private const string IdPrefix = "k:";

    private readonly Dictionary<string, string> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _acked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ackInvoked = new(StringComparer.Ordinal);
    private readonly List<StoredMessage> _stored = [];
    private int _number;

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A send begins; each has an id of its own, keys are many messages'.</summary>
    public string Invoke(string key)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{IdPrefix}{++_number}");
        _keys.Add(id, key);
        return id;
    }

    /// <summary>A message of the topic is in the log.</summary>
    public void Stored(StoredMessage message) => _stored.Add(message);

    /// <summary>The keys that were acknowledged so far: a receive that begins now may bring none of them.</summary>
    public HashSet<string> Acked() => [.. _acked];

    /// <summary>A consumer was given messages; what had been acknowledged when it asked.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> messages, HashSet<string> ackedBefore)
    {
        foreach (var message in messages)
        {
            var key = _keys[message.MessageId];
            cluster.Checks.Check(
                "I66", !ackedBefore.Contains(key), $"{message.MessageId} of key {key} is delivered, but its key was acknowledged before");
        }

        cluster.Checks.Check(
            "I66",
            messages.DistinctBy(message => _keys[message.MessageId]).Count() == messages.Count,
            $"messages of one key are delivered together: {string.Join(", ", messages.Select(message => message.MessageId))}");
    }

    /// <summary>A message as a trace names it.</summary>
    public string Describe(DeliveredMessage message) =>
        $"{message.MessageId} of {_keys[message.MessageId]} ({message.QueueId}/{message.QueueOffset}, attempt {message.Attempt})";

    /// <summary>A consumer acknowledges a message; whether that has effect it does not know yet.</summary>
    public void AckInvoked(DeliveredMessage message) => _ackInvoked.Add(_keys[message.MessageId]);

    /// <summary>
    /// An acknowledgement was confirmed. That of a message which retention took meanwhile is as well, but nobody knows its key any more.
    /// </summary>
    public void AckConfirmed(DeliveredMessage message)
    {
        if (_stored.Exists(stored => stored.Id == message.MessageId && !cluster.Oracle.IsGone(stored)))
        {
            _acked.Add(_keys[message.MessageId]);
        }
    }

    /// <summary>Repeats were finished without delivery by the state of a node.</summary>
    public void Repeats(long count)
    {
        if (count > 0)
        {
            cluster.Marks.Reach("repeat of a key finished without delivery");
        }
    }

    /// <summary>How many messages the group has not finished, of which the caller knows, or keys that nobody acknowledged; null: none.</summary>
    public string? DescribeOpen(long lag)
    {
        var lost = _stored.Where(message => !cluster.Oracle.IsGone(message) && !_ackInvoked.Contains(_keys[message.Id])).ToList();
        return lag == 0 && lost.Count == 0
            ? null
            : $"{lag} messages are not finished, {lost.Count} of keys that nobody acknowledged, for example {lost.FirstOrDefault()?.Id};";
    }
}
