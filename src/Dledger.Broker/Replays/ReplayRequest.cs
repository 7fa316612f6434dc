using Dledger.Broker.Filtering;

namespace Dledger.Broker.Replays;

/// <summary>Has messages that a group has finished delivered to it again; the group's offsets stay where they are.</summary>
public sealed record ReplayRequest
{
    public required string Group { get; init; }

    public required string Topic { get; init; }

    /// <summary>One queue; null: all of them.</summary>
    public int? QueueId { get; init; }

    /// <summary>Stored at this time or later; microseconds since 1970 (UTC), null: no bound.</summary>
    public long? FromMicroseconds { get; init; }

    /// <summary>Stored before this time; null: no bound.</summary>
    public long? ToMicroseconds { get; init; }

    /// <summary>From this offset of the queue on; needs <see cref="QueueId"/>.</summary>
    public long? FirstOffset { get; init; }

    /// <summary>Up to this offset of the queue, which is the last; needs <see cref="QueueId"/>.</summary>
    public long? LastOffset { get; init; }

    /// <summary>What the messages have to match.</summary>
    public MessageFilter Filter { get; init; } = MessageFilter.All;

    /// <summary>Only messages with one of these business keys; empty: all.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Only messages with one of these ids; empty: all.</summary>
    public IReadOnlyList<string> MessageIds { get; init; } = [];

    /// <summary>Most messages that are put back, 0 for no bound.</summary>
    public long Limit { get; init; }

    /// <summary>Only says what would happen.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Where the call before this one ended; null for the first.</summary>
    public ReplayPlace? ContinueAt { get; init; }
}

/// <summary>A place in the order in which a replay goes through a topic: queue by queue.</summary>
public readonly record struct ReplayPlace(int QueueId, long Offset);

/// <summary>What a replay did, or would do, to one queue.</summary>
/// <param name="QueueId">The queue.</param>
/// <param name="PutBackCount">Messages that the group had finished and that wait for it now.</param>
/// <param name="SkippedCount">Messages of the selection that the group has not finished: they are delivered anyway.</param>
public readonly record struct QueueReplay(int QueueId, long PutBackCount, long SkippedCount);

/// <summary>What became of a replay.</summary>
/// <param name="Failure">Null on success. What <paramref name="Queues"/> says happened nevertheless.</param>
/// <param name="Queues">By queue id; queues without a message of the selection are left out.</param>
/// <param name="Next">Where to go on; null when the selection is through, or the limit reached.</param>
public sealed record ReplayOutcome(BrokerFailure? Failure, IReadOnlyList<QueueReplay> Queues, ReplayPlace? Next)
{
    /// <summary>How many messages more fit behind the group before it has to consume some.</summary>
    public long RoomCount { get; init; }

    public static ReplayOutcome Of(BrokerFailure failure) => new(failure, [], null);
}
