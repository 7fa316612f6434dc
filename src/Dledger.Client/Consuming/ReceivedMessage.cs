namespace Dledger.Client.Consuming;

/// <summary>A message that was delivered and waits for its acknowledgement.</summary>
public sealed record ReceivedMessage
{
    public required string MessageId { get; init; }

    public required string Topic { get; init; }

    /// <summary>Queue of the topic, from 0.</summary>
    public required int QueueId { get; init; }

    /// <summary>Place in the queue, from 0 without a gap.</summary>
    public required long Offset { get; init; }

    /// <summary>1 for the first delivery.</summary>
    public required int Attempt { get; init; }

    /// <summary>As sent, unpacked if it was gzip.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>What acknowledges this delivery; valid until the message becomes visible again.</summary>
    public required string ReceiptHandle { get; init; }

    public string? Tag { get; init; }

    public IReadOnlyList<string> Keys { get; init; } = [];

    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    public string? MessageGroup { get; init; }

    /// <summary>As the producer set it.</summary>
    public int? Priority { get; init; }

    /// <summary>Clock of the producer.</summary>
    public DateTimeOffset BornTime { get; init; }

    /// <summary>Clock of the leader that stored it.</summary>
    public DateTimeOffset? StoreTime { get; init; }
}
