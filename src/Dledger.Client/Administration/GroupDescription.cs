namespace Dledger.Client.Administration;

/// <summary>A consumer group.</summary>
/// <param name="Name">Unique in the cluster.</param>
/// <param name="IsFifo">Messages of one message group are delivered one after another.</param>
/// <param name="MaxAttempts">Deliveries before a message becomes a dead letter; 0 asks for the default.</param>
public sealed record GroupDescription(string Name, bool IsFifo, int MaxAttempts)
{
    /// <summary>Waits between deliveries; empty asks for the default.</summary>
    public IReadOnlyList<TimeSpan> Backoff { get; init; } = [];

    /// <summary>What happens when its clients ask for one topic with different filters.</summary>
    public FilterMismatch Mismatch { get; init; }

    /// <summary>Its living clients, by topic and client id; empty in lists of groups.</summary>
    public IReadOnlyList<GroupMemberDescription> Members { get; init; } = [];

    /// <summary>How it treats its messages.</summary>
    public GroupModes Modes { get; init; } = new();

    /// <summary>Not null while it is paused; not looked at when a group is created.</summary>
    public GroupPause? Pause { get; init; }

    /// <summary>What it remembers of processed messages; null when nothing.</summary>
    public GroupDedup? Dedup { get; init; }

    /// <summary>Where the group stands, by topic and queue id; empty in lists of groups.</summary>
    public IReadOnlyList<GroupQueueProgress> Queues { get; init; } = [];

    /// <summary>The clients of a broadcast group, by client id; null for other groups and in lists of groups.</summary>
    public IReadOnlyList<BroadcastMemberDescription>? BroadcastMembers { get; init; }
}

/// <summary>A client of a broadcast group.</summary>
/// <param name="ClientId">As it calls itself.</param>
/// <param name="Joined">Its first receive.</param>
/// <param name="Seen">When the log last had a sign of it.</param>
/// <param name="LagCount">What it has not consumed.</param>
/// <param name="Queues">Where it stands, by topic and queue id.</param>
public sealed record BroadcastMemberDescription(
    string ClientId, DateTimeOffset Joined, DateTimeOffset Seen, long LagCount, IReadOnlyList<GroupQueueProgress> Queues);

/// <summary>A living client of a group.</summary>
/// <param name="ClientId">As it calls itself.</param>
/// <param name="Topic">What it asks for.</param>
/// <param name="Filter"><c>*</c>, tags, or <c>SQL</c> and the expression.</param>
/// <param name="IsMismatch">Another member asks for the topic with another filter.</param>
public sealed record GroupMemberDescription(string ClientId, string Topic, string Filter, bool IsMismatch);

/// <summary>Where a group stands in one queue.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="QueueId">Its queue, from 0.</param>
/// <param name="CommittedOffset">All below is consumed.</param>
/// <param name="MaxOffset">What the next message will get.</param>
/// <param name="InFlightCount">Delivered, not consumed and not visible again.</param>
/// <param name="LagCount">Not consumed, in flight or not.</param>
public sealed record GroupQueueProgress(
    string Topic, int QueueId, long CommittedOffset, long MaxOffset, long InFlightCount, long LagCount);
