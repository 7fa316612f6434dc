namespace Dledger.Broker.Messages;

/// <summary>The property map of a record, decoded.</summary>
internal sealed class MessageContent
{
    public required MessageType Type { get; init; }

    public required string? Tag { get; init; }

    public required IReadOnlyList<string> Keys { get; init; }

    public required IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; }

    public required BodyEncoding BodyEncoding { get; init; }

    public required string BornHost { get; init; }

    public required string? MessageGroup { get; init; }

    public required string? LiteTopic { get; init; }

    public required int? Priority { get; init; }

    public required string? TraceContext { get; init; }

    public required DeadLetterOrigin? DeadLetterOrigin { get; init; }
}
