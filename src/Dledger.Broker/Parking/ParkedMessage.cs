using Dledger.Primitives;

namespace Dledger.Broker.Parking;

/// <summary>A message that was delivered too often and waits for an operator.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="QueueId">Its queue.</param>
/// <param name="Offset">Its queue offset.</param>
/// <param name="Position">Where its record lies.</param>
/// <param name="RecordBytes">Size of the record.</param>
/// <param name="Attempts">How often it was delivered.</param>
/// <param name="SinceMicroseconds">Log time at which it was parked.</param>
/// <param name="MessageGroupHash">The message group as the order sees it; 0 without one, or in a group that is not ordered.</param>
/// <param name="WaitingBehind">Messages known to the group that wait for it, because they follow it in its message group.</param>
public sealed record ParkedMessage(
    string Topic,
    int QueueId,
    QueueOffset Offset,
    LogPosition Position,
    int RecordBytes,
    int Attempts,
    long SinceMicroseconds,
    int MessageGroupHash,
    int WaitingBehind)
{
    /// <summary>Its id; empty when the record cannot be read here.</summary>
    public string MessageId { get; init; } = "";

    /// <summary>Its message group; null without one, or when the record cannot be read here.</summary>
    public string? MessageGroup { get; init; }
}

/// <summary>Parked messages of a group.</summary>
/// <param name="Messages">The first ones by topic, queue and offset.</param>
/// <param name="Count">How many there are in all.</param>
public sealed record ParkedList(IReadOnlyList<ParkedMessage> Messages, int Count);
