namespace Dledger.Broker.Offsets;

/// <summary>Moves a group to another place in a topic.</summary>
public sealed record SeekRequest
{
    public required string Group { get; init; }

    public required string Topic { get; init; }

    /// <summary>One queue; null: all of them.</summary>
    public int? QueueId { get; init; }

    public required SeekTarget Target { get; init; }

    /// <summary>Only says what would happen.</summary>
    public bool IsDryRun { get; init; }
}

/// <summary>What a seek does, or would do, in one queue.</summary>
/// <param name="QueueId">The queue.</param>
/// <param name="From">Everything below was finished before.</param>
/// <param name="To">Where the group goes on.</param>
/// <param name="SkippedCount">Messages that were not finished and are not delivered any more.</param>
/// <param name="RepeatedCount">Messages that were finished or handed out and are delivered again.</param>
/// <param name="CutCount">Messages in flight, whose receipt handles become stale.</param>
public readonly record struct QueueSeek(
    int QueueId, long From, long To, long SkippedCount, long RepeatedCount, int CutCount);

/// <summary>What became of a seek.</summary>
/// <param name="Failure">Null on success.</param>
/// <param name="Queues">By queue id; empty on failure.</param>
public sealed record SeekOutcome(BrokerFailure? Failure, IReadOnlyList<QueueSeek> Queues)
{
    public static SeekOutcome Of(BrokerFailure failure) => new(failure, []);
}

/// <summary>An offset, or why there is none.</summary>
public readonly record struct OffsetAnswer(BrokerFailure? Failure, long Offset);
