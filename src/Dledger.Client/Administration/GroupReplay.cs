namespace Dledger.Client.Administration;

/// <summary>Which finished messages a group gets again; all that is given has to hold.</summary>
public sealed record GroupReplay
{
    /// <summary>One queue; null: all.</summary>
    public int? QueueId { get; init; }

    /// <summary>Stored then or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Stored before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>From this offset of the queue on.</summary>
    public long? FirstOffset { get; init; }

    /// <summary>Up to this offset of the queue, which is the last.</summary>
    public long? LastOffset { get; init; }

    /// <summary>A tag expression, as in a subscription.</summary>
    public string? TagExpression { get; init; }

    /// <summary>An SQL expression, as in a subscription; not together with <see cref="TagExpression"/>.</summary>
    public string? SqlExpression { get; init; }

    /// <summary>One of these business keys.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>One of these message ids.</summary>
    public IReadOnlyList<string> MessageIds { get; init; } = [];

    /// <summary>Most messages that are put back; 0: no bound.</summary>
    public long Limit { get; init; }
}

/// <summary>What a replay did to one queue.</summary>
/// <param name="QueueId">The queue.</param>
/// <param name="PutBackCount">Messages that were finished and wait for the group again.</param>
/// <param name="SkippedCount">Messages of the selection that the group has not finished: it gets them anyway.</param>
public sealed record QueueReplayResult(int QueueId, long PutBackCount, long SkippedCount);

/// <summary>What a replay did, or would do.</summary>
/// <param name="Queues">By queue id; without queues that have no message of the selection.</param>
/// <param name="RoomCount">How many messages more may wait behind the offsets of the group.</param>
public sealed record GroupReplayResult(IReadOnlyList<QueueReplayResult> Queues, long RoomCount);
