namespace Dledger.Broker.Lites;

/// <summary>Where a group shall go in the lite topics that a client of it adds.</summary>
public enum LiteOffsetKind
{
    /// <summary>Where it is; the first message when it never read there.</summary>
    Last = 0,

    /// <summary>The first message that is kept.</summary>
    Min,

    /// <summary>Behind the newest message.</summary>
    Max,

    /// <summary>An offset; outside of what is kept, the nearer end.</summary>
    Offset,

    /// <summary>So many messages before the end.</summary>
    Tail,

    /// <summary>The first message stored at this time or later, microseconds since 1970 (UTC).</summary>
    Time,
}

/// <summary>A place in a lite topic.</summary>
public readonly record struct LiteOffset(LiteOffsetKind Kind, long Value = 0);
