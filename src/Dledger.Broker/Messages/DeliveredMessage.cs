using Dledger.Primitives;

namespace Dledger.Broker.Messages;

/// <summary>A message on its way out, leased to one receiver.</summary>
public sealed record DeliveredMessage
{
    public required string Topic { get; init; }

    public required int QueueId { get; init; }

    public required QueueOffset QueueOffset { get; init; }

    /// <summary>Where its record lies in the log.</summary>
    public required LogPosition Position { get; init; }

    public required string MessageId { get; init; }

    public required MessageType Type { get; init; }

    /// <summary>Null when the producer set none.</summary>
    public string? Tag { get; init; }

    public IReadOnlyList<string> Keys { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>The stored bytes, not decompressed.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    public required BodyEncoding BodyEncoding { get; init; }

    /// <summary>Microseconds since 1970 (UTC), the producer's clock.</summary>
    public required long BornTimeMicroseconds { get; init; }

    public required string BornHost { get; init; }

    /// <summary>Microseconds since 1970 (UTC), the log's time when the record was cut into a frame.</summary>
    public required long StoreTimeMicroseconds { get; init; }

    public string? MessageGroup { get; init; }

    /// <summary>The lite topic inside of <see cref="Topic"/>; in a dead letter, that of its origin.</summary>
    public string? LiteTopic { get; init; }

    /// <summary>As the producer set it, also above the topic's highest band.</summary>
    public int? Priority { get; init; }

    /// <summary>When a delayed message was to be delivered; microseconds since 1970 (UTC).</summary>
    public long? DeliverAtMicroseconds { get; init; }

    public string? TraceContext { get; init; }

    /// <summary>1 for the first delivery.</summary>
    public required int Attempt { get; init; }

    /// <summary>Opaque text, valid until the message becomes visible again.</summary>
    public required string ReceiptHandle { get; init; }

    /// <summary>How long the message stays invisible from the delivery on.</summary>
    public required TimeSpan InvisibleDuration { get; init; }

    /// <summary>Set on messages of a dead letter topic.</summary>
    public DeadLetterOrigin? DeadLetterOrigin { get; init; }
}
