namespace Dledger.Replication.Clocks;

/// <summary>The source of log time and of the monotonic time that drives Raft. Safe for any thread.</summary>
/// <remarks>
/// Log time is microseconds since the Unix epoch: an anchor plus monotonic elapsed time, never below a log time that
/// this node has seen. So a jump of the wall clock does not move it; <see cref="Reanchor"/> follows the wall clock by
/// at most 1 % of the time that passes (raft-and-storage.md 2.22). A log time ahead of the own clock moves the anchor:
/// after a leader whose clock was an hour fast, log time must go on from there, or no lease would end for an hour.
/// </remarks>
internal sealed class LogClock
{
    private const long SlewShare = 100;

    private readonly TimeProvider _time;
    private readonly long _startStamp;
    private long _anchor;
    private long _floor;
    private long _reanchoredAt;

    public LogClock(TimeProvider time)
    {
        _time = time;
        _startStamp = time.GetTimestamp();
        _anchor = WallNow();
    }

    /// <summary>Monotonic microseconds since the clock was made.</summary>
    public long Monotonic() => _time.GetElapsedTime(_startStamp).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The wall clock in microseconds since the Unix epoch.</summary>
    public long WallNow() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Log time now; never decreases.</summary>
    public long Now()
    {
        var now = Volatile.Read(ref _anchor) + Monotonic();
        return Observe(now);
    }

    /// <summary>Raises log time to one that was seen in a frame, and answers the higher of the two.</summary>
    public long Observe(long logTime)
    {
        Raise(ref _anchor, logTime - Monotonic());
        return Raise(ref _floor, logTime);
    }

    /// <summary>Moves the anchor towards the wall clock; called by the replication loop about every second.</summary>
    public void Reanchor()
    {
        var monotonic = Monotonic();
        var elapsed = monotonic - _reanchoredAt;
        if (elapsed < 1_000_000)
        {
            return;
        }

        _reanchoredAt = monotonic;
        var anchor = Volatile.Read(ref _anchor);
        var step = Math.Clamp(WallNow() - (anchor + monotonic), -elapsed / SlewShare, elapsed / SlewShare);

        // Raised meanwhile by a frame: the next time will do.
        Interlocked.CompareExchange(ref _anchor, anchor + step, anchor);
    }

    private static long Raise(ref long location, long value)
    {
        while (true)
        {
            var present = Volatile.Read(ref location);
            if (present >= value)
            {
                return present;
            }

            if (Interlocked.CompareExchange(ref location, value, present) == present)
            {
                return value;
            }
        }
    }
}
