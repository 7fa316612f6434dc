namespace Dledger.Broker.Timers;

/// <summary>Which pending messages are meant: those of one topic that meet all conditions that are set.</summary>
public sealed record PendingSelection
{
    public required string Topic { get; init; }

    /// <summary>A business key that the message bears.</summary>
    public string? MessageKey { get; init; }

    public string? MessageId { get; init; }

    /// <summary>Delivery time from here on; microseconds since 1970 (UTC).</summary>
    public long? FromMicroseconds { get; init; }

    /// <summary>Delivery time before this; microseconds since 1970 (UTC).</summary>
    public long? UntilMicroseconds { get; init; }
}
