namespace Dledger.Broker.Streaming;

/// <summary>What a consumer did with messages of one delivery.</summary>
public sealed record SettleRequest
{
    public required string Group { get; init; }

    public required string Topic { get; init; }

    /// <summary>Whose delivery it was, where each client of a group gets every message.</summary>
    public required string ClientId { get; init; }

    /// <summary>Names the delivery.</summary>
    public required long DeliveryId { get; init; }

    public required IReadOnlyList<MessageRange> Ranges { get; init; }

    public required Settlement Settlement { get; init; }

    /// <summary>With retry: when it is delivered again; with renew: how long it stays invisible, from now.</summary>
    public TimeSpan After { get; init; }
}

/// <summary>Consecutive messages of a queue.</summary>
public readonly record struct MessageRange(int QueueId, long First, int Count);

/// <summary>What is to become of a message that was delivered.</summary>
public enum Settlement
{
    /// <summary>It is finished for the group.</summary>
    Ack,

    /// <summary>It is delivered again, which counts as another attempt.</summary>
    Retry,

    /// <summary>The consumer is still at work on it.</summary>
    Renew,
}
