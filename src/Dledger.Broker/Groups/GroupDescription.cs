using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>A group with its progress at one moment.</summary>
public sealed record GroupDescription(GroupView Group, IReadOnlyList<GroupQueueDescription> Queues);

/// <summary>A group's progress in one queue.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="QueueId">The queue.</param>
/// <param name="CommitOffset">Everything below is finished for the group.</param>
/// <param name="Max">Where the queue ends.</param>
/// <param name="InFlight">Messages handed out and neither acknowledged nor visible again.</param>
/// <param name="Redeliverable">Messages that were handed out before and wait for another delivery.</param>
/// <param name="Lag">Messages not finished for the group, in flight ones included.</param>
public readonly record struct GroupQueueDescription(
    string Topic, int QueueId, QueueOffset CommitOffset, QueueOffset Max, int InFlight, int Redeliverable, long Lag);
