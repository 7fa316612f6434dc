using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Keys;

namespace Dledger.Broker.Lookups;

/// <summary>Messages that were looked up, and whether they are all.</summary>
/// <param name="Failure">Why there is no answer; null otherwise.</param>
/// <param name="Messages">Newest first for keys, in the order of the queue for reads. Without receipt handle.</param>
/// <param name="HasMore">There are more than were asked for.</param>
/// <param name="Gaps">
/// Parts of the log whose keys the node does not know, or whose records it cannot read, at present: a message there was not found.
/// </param>
public sealed record LookupOutcome(
    BrokerFailure? Failure,
    IReadOnlyList<DeliveredMessage> Messages,
    bool HasMore,
    IReadOnlyList<PositionRange> Gaps)
{
    public static LookupOutcome Of(BrokerFailure failure) => new(failure, [], false, []);

    public static LookupOutcome Of(IReadOnlyList<DeliveredMessage> messages) => new(null, messages, false, []);
}

/// <summary>What to find by key.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Key">The message id, or one business key.</param>
/// <param name="IsMessageId">Which of the two.</param>
public sealed record KeyQuery(string Topic, string Key, bool IsMessageId)
{
    /// <summary>Stored at or after, microseconds since 1970 (UTC).</summary>
    public long FromMicroseconds { get; init; }

    /// <summary>Stored before.</summary>
    public long ToMicroseconds { get; init; } = long.MaxValue;

    /// <summary>At most so many, 1 to 1000; the newest ones.</summary>
    public int CountMax { get; init; } = 32;
}

/// <summary>A place in a topic.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="QueueId">The queue.</param>
/// <param name="Offset">In the queue.</param>
public readonly record struct MessagePlace(string Topic, int QueueId, QueueOffset Offset);
