using System.Text.Json.Serialization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary>A topic as the commands answer it to programs.</summary>
internal sealed record TopicAnswer(string Name, int QueueCount, IReadOnlyList<MessageType> MessageTypes)
{
    /// <summary>Left out when it is the cluster's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? RetentionTime { get; init; }

    /// <summary>Left out when there is no bound.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? RetentionBytes { get; init; }

    /// <summary>Left out when it knows no message by its id.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? IdWindowTime { get; init; }

    /// <summary>The same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? IdWindowCount { get; init; }

    /// <summary>Left out when there is no bound.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ProduceMessagesPerSecond { get; init; }

    /// <summary>The same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ProduceBytesPerSecond { get; init; }

    /// <summary>Left out when it is not of the type LITE.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? LiteExpiry { get; init; }

    /// <summary>The same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? LiteTopicsMax { get; init; }

    /// <summary>The same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? LiteTopicCount { get; init; }

    public static TopicAnswer Of(TopicDescription topic) => new(topic.Name, topic.QueueCount, topic.MessageTypes)
    {
        RetentionTime = topic.RetentionTime,
        RetentionBytes = topic.RetentionBytes,
        IdWindowTime = topic.IdWindowTime,
        IdWindowCount = topic.IdWindowCount,
        ProduceMessagesPerSecond = topic.ProduceMessagesPerSecond,
        ProduceBytesPerSecond = topic.ProduceBytesPerSecond,
        LiteExpiry = topic.LiteExpiry,
        LiteTopicsMax = topic.LiteTopicsMax,
        LiteTopicCount = topic.LiteTopicCount,
    };

    /// <summary>Shows a topic that was just created or altered.</summary>
    public static void Write(Terminal terminal, TopicDescription topic, bool isJson)
    {
        if (isJson)
        {
            JsonText.Write(terminal.Output, Of(topic));
        }
        else
        {
            terminal.Output.WriteLine(
                $"topic {topic.Name} with {topic.QueueCount} queues"
                + RetentionArguments.Describe(topic.RetentionTime, topic.RetentionBytes)
                + IdWindowArguments.Describe(topic.IdWindowTime, topic.IdWindowCount)
                + QuotaArguments.Describe("takes", topic.ProduceMessagesPerSecond, topic.ProduceBytesPerSecond)
                + LiteArguments.Describe(topic));
        }
    }
}
