using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Retention;

/// <summary>Decides how much of the log may be given up: by age and by size, in whole files. A pure function.</summary>
/// <remarks>
/// raft-and-storage.md 2.21. The disk's use alone never takes messages that are younger than the retention time: whoever wants that
/// sets a size. A disk that gets full only stops waiting for slow followers, which then get a snapshot.
/// </remarks>
internal static class RetentionPolicy
{
    /// <summary>Where the log shall begin; null when nothing has expired.</summary>
    /// <param name="segments">The files of the log, oldest first.</param>
    /// <param name="end">End of the log.</param>
    /// <param name="logTimeNow">Microseconds.</param>
    /// <param name="options">Age and size.</param>
    /// <param name="limit">Nothing behind it may go: a checkpoint, a follower.</param>
    public static LogPosition? FindStart(
        IReadOnlyList<LogSegment> segments,
        LogPosition end,
        long logTimeNow,
        BrokerOptions options,
        LogPosition limit)
    {
        LogPosition? start = null;
        for (var i = 1; i < segments.Count && segments[i].Base <= limit; i++)
        {
            if (!IsExpired(segments[i], end, logTimeNow, options))
            {
                break;
            }

            start = segments[i].Base;
        }

        return start;
    }

    /// <summary>Log time at which the oldest file expires by age; <see cref="long.MaxValue"/> when none does.</summary>
    public static long NextExpiry(IReadOnlyList<LogSegment> segments, BrokerOptions options) =>
        segments.Count > 1 && options.RetentionTime > TimeSpan.Zero
            ? segments[1].LogTime + (long)options.RetentionTime.TotalMicroseconds
            : long.MaxValue;

    // What lies before the base is at least as old as the frame that ends there.
    private static bool IsExpired(in LogSegment next, LogPosition end, long logTimeNow, BrokerOptions options)
    {
        var isOld = options.RetentionTime > TimeSpan.Zero
            && next.LogTime + (long)options.RetentionTime.TotalMicroseconds <= logTimeNow;
        return isOld || (options.RetentionBytes > 0 && end - next.Base >= options.RetentionBytes);
    }
}
