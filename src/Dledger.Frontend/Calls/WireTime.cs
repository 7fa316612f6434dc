using Google.Protobuf.WellKnownTypes;

namespace Dledger.Frontend.Calls;

/// <summary>Times of the wire (seconds and nanoseconds) and of the broker (microseconds since 1970, UTC).</summary>
internal static class WireTime
{
    private const long SecondsMin = -62_135_596_800;
    private const long SecondsMax = 253_402_300_799;

    /// <summary>Microseconds; seconds outside the years 1 to 9999 and nanoseconds outside a second are
    /// clamped.</summary>
    public static long ToMicroseconds(Timestamp time) =>
        (Math.Clamp(time.Seconds, SecondsMin, SecondsMax) * 1_000_000)
        + (Math.Clamp(time.Nanos, 0, 999_999_999) / 1_000);

    public static Timestamp ToTimestamp(long microseconds)
    {
        var (seconds, nanos) = Split(microseconds);
        return new Timestamp { Seconds = seconds, Nanos = nanos };
    }

    /// <summary>Seconds and the nanoseconds of a time.</summary>
    public static (long Seconds, int Nanos) Split(long microseconds)
    {
        var seconds = Math.DivRem(microseconds, 1_000_000, out var rest);
        if (rest < 0)
        {
            seconds--;
            rest += 1_000_000;
        }

        return (seconds, (int)rest * 1_000);
    }

    /// <summary>A duration; what does not fit into a <see cref="TimeSpan"/> is clamped to its ends.</summary>
    public static TimeSpan ToTimeSpan(Duration duration)
    {
        var seconds = Math.Clamp(duration.Seconds, -900_000_000_000, 900_000_000_000);
        return new TimeSpan(seconds * TimeSpan.TicksPerSecond) + new TimeSpan(duration.Nanos / 100);
    }
}
