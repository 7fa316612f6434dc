namespace Dledger.Broker.Offsets;

/// <summary>What a seek goes by.</summary>
public enum SeekKind
{
    /// <summary>The oldest message that is kept.</summary>
    Earliest,

    /// <summary>Behind the newest message.</summary>
    Latest,

    /// <summary>A queue offset.</summary>
    Offset,

    /// <summary>The first message that was stored at a time or later.</summary>
    Time,

    /// <summary>So many messages ahead of where the group stands, or back.</summary>
    Relative,
}

/// <summary>Where a seek goes.</summary>
/// <param name="Kind">What it goes by.</param>
/// <param name="Value">The offset, the microseconds since 1970 (UTC), or how many messages; else 0.</param>
public readonly record struct SeekTarget(SeekKind Kind, long Value = 0)
{
    public static SeekTarget Earliest => new(SeekKind.Earliest);

    public static SeekTarget Latest => new(SeekKind.Latest);

    public static SeekTarget Offset(long offset) => new(SeekKind.Offset, offset);

    public static SeekTarget Time(long microseconds) => new(SeekKind.Time, microseconds);

    public static SeekTarget Relative(long messages) => new(SeekKind.Relative, messages);
}
