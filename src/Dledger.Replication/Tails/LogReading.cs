using Dledger.Primitives;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Tails;

/// <summary>Reads a run of log bytes that may lie partly on disk and partly in the tail cache.</summary>
internal static class LogReading
{
    /// <summary>
    /// Fills the destination from a position on; fewer bytes only where the log ends or has not begun. What lies before
    /// <paramref name="settled"/> is never cut off.
    /// </summary>
    public static int Read(
        TailCache cache, CommitLog log, LogPosition position, Span<byte> destination, LogPosition settled)
    {
        var done = 0;
        while (done < destination.Length)
        {
            var at = position + done;
            var read = cache.Read(at, destination[done..]);
            if (read == 0)
            {
                // Not behind the cache's start: the CommitLog may still hold what the core has cut away.
                var start = cache.Start;
                var below = Math.Min(destination.Length - done, start - at);
                read = below <= 0
                    ? 0
                    : log.ReadBacklog(at, destination.Slice(done, (int)below), LogPosition.Min(settled, start));
            }

            if (read == 0)
            {
                break;
            }

            done += read;
        }

        return done;
    }
}
