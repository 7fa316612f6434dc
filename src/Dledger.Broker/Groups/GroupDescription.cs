using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>A group with its progress at one moment.</summary>
public sealed record GroupDescription(GroupView Group, IReadOnlyList<GroupQueueDescription> Queues)
{
    /// <summary>Its living clients as this leader heard of them, by topic, then client id.</summary>
    public IReadOnlyList<GroupMember> Members { get; init; } = [];

    /// <summary>The members of a broadcast group, by client id; empty for other groups.</summary>
    public IReadOnlyList<BroadcastMember> Broadcast { get; init; } = [];

    /// <summary>Messages that were finished without delivery because the group had processed others of their keys.</summary>
    public long RepeatCount { get; init; }

    /// <summary>Keys of processed messages that it remembers.</summary>
    public int ProcessedCount { get; init; }
}

/// <summary>A client of a group.</summary>
/// <param name="ClientId">As the client calls itself.</param>
/// <param name="Topic">The topic that it asks for.</param>
/// <param name="Filter">The filter that it asks with.</param>
/// <param name="Differs">Another member asks for the topic with another filter.</param>
public sealed record GroupMember(string ClientId, string Topic, string Filter, bool Differs)
{
    /// <summary>The filter is <c>SQL</c> and an expression, not tags.</summary>
    public bool IsSql { get; init; }
}

/// <summary>A client of a broadcast group with its progress.</summary>
/// <param name="GroupId">The number of its member group.</param>
/// <param name="ClientId">As it calls itself.</param>
/// <param name="JoinedAtMicroseconds">Log time of its first receive.</param>
/// <param name="UsedAtMicroseconds">Log time of the newest record that shows it alive.</param>
/// <param name="Queues">By topic id, then queue id.</param>
public sealed record BroadcastMember(
    int GroupId,
    string ClientId,
    long JoinedAtMicroseconds,
    long UsedAtMicroseconds,
    IReadOnlyList<GroupQueueDescription> Queues);

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
