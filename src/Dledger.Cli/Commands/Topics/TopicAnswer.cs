using System.Text.Json.Serialization;
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

    public static TopicAnswer Of(TopicDescription topic) => new(topic.Name, topic.QueueCount, topic.MessageTypes)
    {
        RetentionTime = topic.RetentionTime,
        RetentionBytes = topic.RetentionBytes,
    };
}
