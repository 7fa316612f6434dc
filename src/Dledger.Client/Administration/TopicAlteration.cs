namespace Dledger.Client.Administration;

/// <summary>What shall be different about a topic; null, or empty for the types, leaves a thing as it is.</summary>
/// <param name="Name">The topic.</param>
public sealed record TopicAlteration(string Name)
{
    /// <summary>At least the present number.</summary>
    public int? QueueCount { get; init; }

    /// <summary>What may be sent to it.</summary>
    public IReadOnlyList<MessageType> MessageTypes { get; init; } = [];

    /// <summary>How long its messages are kept, 1 s to 10 years; zero: as long as the cluster's.</summary>
    public TimeSpan? RetentionTime { get; init; }

    /// <summary>Bytes of its messages above which the oldest go; 0: no bound.</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>How long its messages are known by their ids, 1 s to 24 h; zero: not at all.</summary>
    public TimeSpan? IdWindowTime { get; init; }

    /// <summary>Most message ids remembered, up to 1,000,000; null: as it is.</summary>
    public long? IdWindowCount { get; init; }

    /// <summary>Messages that all of its producers together may send in a second; 0: no bound.</summary>
    public long? ProduceMessagesPerSecond { get; init; }

    /// <summary>The same in bytes of messages as they are stored.</summary>
    public long? ProduceBytesPerSecond { get; init; }

    /// <summary>For so long without a message a lite topic is kept at least; for topics of the type LITE.</summary>
    public TimeSpan? LiteExpiry { get; init; }

    /// <summary>Most lite topics at a time, up to 100,000; for topics of the type LITE.</summary>
    public int? LiteTopicsMax { get; init; }
}
