namespace Dledger.Client.Administration;

/// <summary>Which parked messages of a group are meant; what is null selects all.</summary>
/// <param name="Group">The consumer group.</param>
public sealed record ParkedSelector(string Group)
{
    /// <summary>Messages of one topic.</summary>
    public string? Topic { get; init; }

    /// <summary>Messages of one queue.</summary>
    public int? QueueId { get; init; }

    /// <summary>One message; needs topic and queue.</summary>
    public long? Offset { get; init; }

    /// <summary>Messages of one message group.</summary>
    public string? MessageGroup { get; init; }
}

/// <summary>A message that was delivered as often as its group allows, and waits for an operator.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="QueueId">Its queue.</param>
/// <param name="Offset">Its queue offset.</param>
/// <param name="MessageId">Its id; empty when the record cannot be read.</param>
/// <param name="MessageGroup">Its message group; null without one.</param>
/// <param name="MessageGroupHash">What the order goes by; 0 without message group, and in a group that is not ordered.</param>
/// <param name="Attempts">How often it was delivered.</param>
/// <param name="ParkedAt">When it was parked.</param>
/// <param name="WaitingBehind">Messages of its message group behind it that the consumer group has looked at.</param>
public sealed record ParkedMessage(
    string Topic,
    int QueueId,
    long Offset,
    string MessageId,
    string? MessageGroup,
    int MessageGroupHash,
    int Attempts,
    DateTimeOffset ParkedAt,
    int WaitingBehind);

/// <summary>Parked messages of a group.</summary>
/// <param name="Messages">At most 1,000.</param>
/// <param name="Count">How many there are in all.</param>
public sealed record ParkedMessages(IReadOnlyList<ParkedMessage> Messages, int Count);
