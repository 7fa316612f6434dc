namespace Dledger.Broker.Timers;

/// <summary>A message that waits for its delivery time, as operators see it.</summary>
public sealed record PendingMessage
{
    public required string Topic { get; init; }

    public required string MessageId { get; init; }

    public required IReadOnlyList<string> Keys { get; init; }

    public string? Tag { get; init; }

    /// <summary>Microseconds since 1970 (UTC).</summary>
    public required long DeliverAtMicroseconds { get; init; }

    /// <summary>When it was stored; microseconds since 1970 (UTC).</summary>
    public required long StoreTimeMicroseconds { get; init; }

    public required int BodyBytes { get; init; }

    /// <summary>Takes it back, as the handle that its sender got.</summary>
    public required string RecallHandle { get; init; }

    /// <summary>Its record cannot be read at present: id, keys and tag are not known.</summary>
    public bool IsUnreadable { get; init; }

    internal TimerKey Key { get; init; }

    internal long Origin { get; init; }
}
