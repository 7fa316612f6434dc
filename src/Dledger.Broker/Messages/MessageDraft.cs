namespace Dledger.Broker.Messages;

/// <summary>A message on its way in. Its memory is borrowed until the append call has returned its task.</summary>
public sealed record MessageDraft
{
    /// <summary>The body as the producer encoded it.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The producer's id, stored and returned unchanged.</summary>
    public required string MessageId { get; init; }

    /// <summary>Derived by the front end from what the producer set.</summary>
    public MessageType Type { get; init; } = MessageType.Normal;

    /// <summary>One tag, by which consumers filter; null when there is none.</summary>
    public string? Tag { get; init; }

    /// <summary>Business keys, in the producer's order.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>The user's own properties, in the producer's order; keys are distinct.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>How the body is encoded.</summary>
    public BodyEncoding BodyEncoding { get; init; } = BodyEncoding.Identity;

    /// <summary>The producer's clock in microseconds since 1970 (UTC); informative.</summary>
    public long BornTimeMicroseconds { get; init; }

    /// <summary>The producer's host, as it named itself; may be empty.</summary>
    public string BornHost { get; init; } = "";

    /// <summary>Required for <see cref="MessageType.Fifo"/>.</summary>
    public string? MessageGroup { get; init; }

    /// <summary>For <see cref="MessageType.Lite"/>: the lite topic inside of the topic.</summary>
    public string? LiteTopic { get; init; }

    /// <summary>Messages of one text are handed out in order in an ordered group; null for none.</summary>
    internal string? OrderKey => MessageGroup ?? LiteTopic;

    /// <summary>For <see cref="MessageType.Priority"/>: 0 or more, larger is more urgent; null counts as 0.</summary>
    public int? Priority { get; init; }

    /// <summary>Opaque tracing text.</summary>
    public string? TraceContext { get; init; }

    /// <summary>For <see cref="MessageType.Delay"/>: microseconds since 1970 (UTC).</summary>
    public long? DeliverAtMicroseconds { get; init; }

    /// <summary>For <see cref="MessageType.Transaction"/>: time until the first check; null: the topic's.</summary>
    public TimeSpan? TransactionRecovery { get; init; }
}
