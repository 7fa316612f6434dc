using System.Text.Json.Serialization;

namespace Dledger.Client.Administration;

/// <summary>A topic.</summary>
/// <param name="Name">Unique in the cluster.</param>
/// <param name="QueueCount">Queue ids run from 0; 0 asks for the server's default.</param>
/// <param name="MessageTypes">What may be sent to it; empty asks for the default.</param>
public sealed record TopicDescription(string Name, int QueueCount, IReadOnlyList<MessageType> MessageTypes)
{
    /// <summary>How long its messages are kept, consumed or not; null: as long as the cluster's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? RetentionTime { get; init; }

    /// <summary>Bytes of its messages, over all queues, above which the oldest go; null: no bound.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? RetentionBytes { get; init; }

    /// <summary>How long its messages are known by their ids, so that a repeat is stored once; null: not at all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? IdWindowTime { get; init; }

    /// <summary>Most message ids remembered, up to 1,000,000; null: 100,000.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? IdWindowCount { get; init; }

    /// <summary>Messages that all of its producers together may send in a second; null: no bound.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ProduceMessagesPerSecond { get; init; }

    /// <summary>The same in bytes of messages as they are stored.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ProduceBytesPerSecond { get; init; }

    /// <summary>For so long without a message a lite topic is kept at least; null for a topic that is not of the type LITE.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? LiteExpiry { get; init; }

    /// <summary>Most lite topics at a time; null for a topic that is not of the type LITE.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? LiteTopicsMax { get; init; }

    /// <summary>Lite topics that it has; not looked at when it is created.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? LiteTopicCount { get; init; }

    /// <summary>By queue id; empty in lists of topics.</summary>
    public IReadOnlyList<TopicQueueRange> Queues { get; init; } = [];
}

/// <summary>The offsets that one queue holds.</summary>
/// <param name="QueueId">From 0.</param>
/// <param name="MinOffset">Smallest still stored.</param>
/// <param name="MaxOffset">What the next message will get.</param>
public sealed record TopicQueueRange(int QueueId, long MinOffset, long MaxOffset);
