namespace Dledger.Client.Administration;

/// <summary>A lite topic: a cheap stream by name inside a topic of the type LITE.</summary>
/// <param name="Name">Unique within its parent.</param>
/// <param name="QueueId">The queue of the parent that it has.</param>
/// <param name="MinOffset">Of the oldest message that is stored.</param>
/// <param name="MaxOffset">What the next message gets.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="LastActiveAt">When its newest message was stored.</param>
public sealed record LiteTopicDescription(
    string Name, int QueueId, long MinOffset, long MaxOffset, DateTimeOffset CreatedAt, DateTimeOffset LastActiveAt);

/// <summary>Some lite topics of a parent, by name.</summary>
/// <param name="LiteTopics">A page.</param>
/// <param name="HasMore">More follow behind the last of them.</param>
public sealed record LiteTopicPage(IReadOnlyList<LiteTopicDescription> LiteTopics, bool HasMore);
