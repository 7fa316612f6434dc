using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Checking;

/// <summary>One delivery of one message to one group, and what its receiver did with it.</summary>
internal sealed class DeliveryRecord
{
    public required string Group { get; init; }

    public required string Topic { get; init; }

    public required Delivery Message { get; init; }

    /// <summary>When the pop was invoked, or from when on it can have been leased where that is earlier, ns.</summary>
    public required long Begin { get; init; }

    /// <summary>When its answer was complete, ns.</summary>
    public required long End { get; init; }

    /// <summary>The answer came whole; otherwise the broker may have taken the lease back at once.</summary>
    public required bool IsWholeAnswer { get; init; }

    /// <summary>When the message may be visible again, ns: lease end, or earlier by a nack that was not refused.</summary>
    public long VisibleFrom { get; set; }

    /// <summary>The latest that the lease can have ended on the broker, ns.</summary>
    public long VisibleUntil { get; set; }

    /// <summary>Acks and nacks of this delivery, in order of their begin.</summary>
    public List<ReceiptRecord> Receipts { get; } = [];

    /// <summary>Which message for whom.</summary>
    public (string Group, string Topic, int Queue, long Offset) Key => (Group, Topic, Message.Queue, Message.Offset);
}

/// <summary>An ack or nack of one delivery.</summary>
/// <param name="IsAck">Ack; otherwise nack.</param>
/// <param name="Begin">When it was invoked, ns.</param>
/// <param name="End">When it was answered, ns.</param>
/// <param name="Phase"><c>ok</c>, <c>fail</c> or <c>info</c>.</param>
internal sealed record ReceiptRecord(bool IsAck, long Begin, long End, string Phase);
