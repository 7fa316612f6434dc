using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;

namespace Dledger.Broker.Retention;

/// <summary>Decides how much of the log may be given up, in whole files. Pure functions.</summary>
/// <remarks>
/// raft-and-storage.md 2.21. Age waits for topics that keep longer than the cluster; size and, where an operator asked for it, the
/// disk's use wait for nobody. Unasked, the disk's use never takes messages that are younger than the retention time: a disk that gets
/// full then only stops waiting for slow followers, which get a snapshot.
/// </remarks>
internal static class RetentionPolicy
{
    /// <summary>Where the log shall begin; null when nothing has expired.</summary>
    /// <param name="segments">The files of the log, oldest first.</param>
    /// <param name="end">End of the log.</param>
    /// <param name="logTimeNow">Microseconds.</param>
    /// <param name="options">Age and size.</param>
    /// <param name="limit">Nothing behind it may go: a checkpoint, a follower.</param>
    /// <param name="needs">What topics and disk say.</param>
    public static LogPosition? FindStart(
        IReadOnlyList<LogSegment> segments,
        LogPosition end,
        long logTimeNow,
        BrokerOptions options,
        LogPosition limit,
        LogNeeds needs = default)
    {
        LogPosition? start = null;
        for (var i = 1; i < segments.Count && segments[i].Base <= limit; i++)
        {
            // Files that the cluster has forgotten and this node has not yet deleted count as freed.
            var freed = segments[i - 1].Base - segments[0].Base;
            if (freed >= needs.ExcessBytes && !IsExpired(segments[i], end, logTimeNow, options, needs))
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

    /// <summary>Bytes above the wanted use of the disk; 0 or less when there are none or no use is wanted.</summary>
    public static long FindExcess(in DiskSpace space, int wantedPercent) => wantedPercent == 0
        ? 0
        : space.TotalBytes - space.FreeBytes - (long)((double)space.TotalBytes * wantedPercent / 100);

    // What lies before the base is at least as old as the frame that ends there.
    private static bool IsExpired(
        in LogSegment next, LogPosition end, long logTimeNow, BrokerOptions options, in LogNeeds needs)
    {
        var isOld = options.RetentionTime > TimeSpan.Zero
            && next.LogTime + (long)options.RetentionTime.TotalMicroseconds <= logTimeNow
            && (needs.OldestKept is not { } kept || next.Base <= kept);
        var isNobodys = needs.OldestOfAll is { } oldest && next.Base <= oldest;
        return isOld || isNobodys || (options.RetentionBytes > 0 && end - next.Base >= options.RetentionBytes);
    }
}
