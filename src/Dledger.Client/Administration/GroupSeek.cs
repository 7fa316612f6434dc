namespace Dledger.Client.Administration;

/// <summary>Where a group is moved to in a topic.</summary>
public sealed record GroupSeek
{
    private GroupSeek()
    {
    }

    /// <summary>The queue offset to go to.</summary>
    public long? Offset { get; private init; }

    /// <summary>The first message that was stored then or later.</summary>
    public DateTimeOffset? Time { get; private init; }

    /// <summary>So many messages ahead of where the group stands, or back.</summary>
    public long? Relative { get; private init; }

    /// <summary>The oldest message that is kept.</summary>
    public bool IsEarliest { get; private init; }

    /// <summary>Behind the newest message.</summary>
    public bool IsLatest { get; private init; }

    public static GroupSeek ToEarliest { get; } = new() { IsEarliest = true };

    public static GroupSeek ToLatest { get; } = new() { IsLatest = true };

    public static GroupSeek ToOffset(long offset) => new() { Offset = offset };

    public static GroupSeek ToTime(DateTimeOffset time) => new() { Time = time };

    public static GroupSeek By(long messages) => new() { Relative = messages };
}

/// <summary>What a seek did, or would do, to one queue.</summary>
/// <param name="QueueId">The queue, from 0.</param>
/// <param name="FromOffset">Everything below was consumed.</param>
/// <param name="ToOffset">Where the group goes on.</param>
/// <param name="SkippedCount">Messages that were not consumed and will not be delivered.</param>
/// <param name="RepeatedCount">Messages that will be delivered again.</param>
/// <param name="CutCount">Messages in flight, whose receipt handles become stale.</param>
public sealed record QueueSeekResult(
    int QueueId, long FromOffset, long ToOffset, long SkippedCount, long RepeatedCount, long CutCount);
