namespace Dledger.Client.Administration;

/// <summary>A consumer group.</summary>
/// <param name="Name">Unique in the cluster.</param>
/// <param name="IsFifo">Messages of one message group are delivered one after another.</param>
/// <param name="MaxAttempts">Deliveries before a message becomes a dead letter; 0 asks for the default.</param>
public sealed record GroupDescription(string Name, bool IsFifo, int MaxAttempts)
{
    /// <summary>Waits between deliveries; empty asks for the default.</summary>
    public IReadOnlyList<TimeSpan> Backoff { get; init; } = [];

    /// <summary>How it treats its messages.</summary>
    public GroupModes Modes { get; init; } = new();

    /// <summary>Not null while it is paused; not looked at when a group is created.</summary>
    public GroupPause? Pause { get; init; }

    /// <summary>Where the group stands, by topic and queue id; empty in lists of groups.</summary>
    public IReadOnlyList<GroupQueueProgress> Queues { get; init; } = [];
}

/// <summary>Where a group stands in one queue.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="QueueId">Its queue, from 0.</param>
/// <param name="CommittedOffset">All below is consumed.</param>
/// <param name="MaxOffset">What the next message will get.</param>
/// <param name="InFlightCount">Delivered, not consumed and not visible again.</param>
/// <param name="LagCount">Not consumed, in flight or not.</param>
public sealed record GroupQueueProgress(
    string Topic, int QueueId, long CommittedOffset, long MaxOffset, long InFlightCount, long LagCount);
