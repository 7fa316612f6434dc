namespace Dledger.Broker.Timers;

/// <summary>Names a pending message, and orders them: the earlier delivery first, then the one that was stored first.</summary>
/// <param name="Tick">Delivery time in steps of 10 ms since 1970 (UTC).</param>
/// <param name="Position">Where its record lies in the log.</param>
internal readonly record struct TimerKey(long Tick, long Position) : IComparable<TimerKey>
{
    /// <summary>Microseconds of a tick.</summary>
    public const long TickMicroseconds = 10_000;

    /// <summary>Before every pending message.</summary>
    public static readonly TimerKey First = new(long.MinValue, long.MinValue);

    /// <summary>Log time, in microseconds, from which on it is due.</summary>
    public long DueAt => Tick * TickMicroseconds;

    /// <summary>The tick of a delivery time: never before it.</summary>
    public static long TickOf(long microseconds) =>
        (microseconds / TickMicroseconds) + (microseconds % TickMicroseconds > 0 ? 1 : 0);

    /// <summary>The newest tick that is over at a log time.</summary>
    public static long TickAt(long logTime) => logTime / TickMicroseconds;

    /// <summary>The key just before this one.</summary>
    public TimerKey Before => this with { Position = Position - 1 };

    public static bool operator <(TimerKey left, TimerKey right) => left.CompareTo(right) < 0;

    public static bool operator >(TimerKey left, TimerKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(TimerKey left, TimerKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(TimerKey left, TimerKey right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public int CompareTo(TimerKey other)
    {
        var order = Tick.CompareTo(other.Tick);
        return order != 0 ? order : Position.CompareTo(other.Position);
    }
}
