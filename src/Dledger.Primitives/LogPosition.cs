namespace Dledger.Primitives;

/// <summary>
/// A byte offset in the replicated log of one Raft group: what the Raft paper calls an index and RocketMQ a physical
/// offset. Only truncation of uncommitted bytes ever reuses one.
/// </summary>
public readonly record struct LogPosition(long Value) : IComparable<LogPosition>
{
    /// <summary>Where every log begins.</summary>
    public static readonly LogPosition Zero = new(0);

    public static LogPosition Min(LogPosition left, LogPosition right) => left.Value <= right.Value ? left : right;

    public static LogPosition Max(LogPosition left, LogPosition right) => left.Value >= right.Value ? left : right;

    /// <inheritdoc/>
    public int CompareTo(LogPosition other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static LogPosition operator +(LogPosition position, long bytes) => new(position.Value + bytes);

    public static long operator -(LogPosition left, LogPosition right) => left.Value - right.Value;

    public static bool operator <(LogPosition left, LogPosition right) => left.Value < right.Value;

    public static bool operator >(LogPosition left, LogPosition right) => left.Value > right.Value;

    public static bool operator <=(LogPosition left, LogPosition right) => left.Value <= right.Value;

    public static bool operator >=(LogPosition left, LogPosition right) => left.Value >= right.Value;
}
