namespace Dledger.Server.Options;

/// <summary>What happens to names that nobody created.</summary>
public sealed record TopicOptions
{
    /// <summary><c>topics.autoCreate</c>: a topic comes into being when a client first asks for it. Handy for
    /// development; in production it turns a misspelt name into a topic.</summary>
    public bool AutoCreateTopics { get; init; }

    /// <summary><c>topics.autoCreateGroups</c>: the same for consumer groups.</summary>
    public bool AutoCreateGroups { get; init; }

    /// <summary><c>topics.queueCount</c>: queues of a topic that is created without a number, 1..1024.</summary>
    public int QueueCountDefault { get; init; } = 8;
}
