using Dledger.Broker.Messages;

namespace Dledger.Broker.Topics;

/// <summary>A topic as asked for.</summary>
public sealed record TopicSpec
{
    public required string Name { get; init; }

    /// <summary>
    /// 1 to <see cref="Naming.Limits.QueueCountMax"/>. An existing topic's count may grow, never shrink.
    /// </summary>
    public int QueueCount { get; init; } = 8;

    /// <summary>What producers may send to it.</summary>
    public MessageTypeSet AcceptedTypes { get; init; } = MessageTypeSet.Normal;
}
