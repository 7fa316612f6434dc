using Dledger.Primitives;

namespace Dledger.Broker.Messages;

/// <summary>Where an appended message lies. It is committed and on disk on a majority.</summary>
/// <param name="QueueId">Chosen by the broker; -1 when a repeat is answered whose first result is forgotten.</param>
/// <param name="QueueOffset">Its place in the queue; -1 when it has none yet, or when that is forgotten.</param>
/// <param name="Position">
/// Its record's position in the log; zero for a repeat when that is forgotten, or the message has left its queue since.
/// </param>
/// <param name="StoreTimeMicroseconds">Log time of its frame, microseconds since 1970 (UTC).</param>
public readonly record struct AppendedMessage(
    int QueueId, QueueOffset QueueOffset, LogPosition Position, long StoreTimeMicroseconds)
{
    /// <summary>It was stored by an earlier call; this one stored nothing.</summary>
    public bool IsDuplicate { get; init; }

    /// <summary>What ends the transaction that the message waits for; null for messages that are visible.</summary>
    public string? TransactionId { get; init; }

    /// <summary>When it is delivered, where that lies ahead: it has no queue offset yet. Null: it is in its queue.</summary>
    public long? DeliverAtMicroseconds { get; init; }

    /// <summary>Takes a message back that waits for its delivery time; null for the others.</summary>
    public string? RecallHandle { get; init; }
}
