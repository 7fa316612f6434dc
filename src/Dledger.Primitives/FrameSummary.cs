namespace Dledger.Primitives;

/// <summary>Flags of a log frame. Persisted: the numbers never change.</summary>
[Flags]
public enum FrameFlags : ushort
{
    None = 0,

    /// <summary>First frame of a term, appended by its leader on election.</summary>
    TermStart = 1,

    /// <summary>The frame holds exactly one configuration record.</summary>
    Configuration = 2,

    /// <summary>The frame holds no messages.</summary>
    ControlOnly = 4,
}

/// <summary>
/// All that Raft needs to know of a frame: where it lies, who wrote it, and the chain that it continues.
/// </summary>
/// <param name="Base">Position of the frame's first byte.</param>
/// <param name="Length">Header, payload and padding in bytes; a multiple of 8.</param>
/// <param name="Term">Term of the leader that cut the frame.</param>
/// <param name="Flags">See <see cref="FrameFlags"/>.</param>
/// <param name="HeaderCrc">The frame's header checksum, which names its content.</param>
/// <param name="PreviousHeaderCrc">The header checksum of the frame that ends at <paramref name="Base"/>.</param>
public readonly record struct FrameSummary(
    LogPosition Base,
    int Length,
    Term Term,
    FrameFlags Flags,
    uint HeaderCrc,
    uint PreviousHeaderCrc)
{
    /// <summary>Position after the frame's last byte.</summary>
    public LogPosition End => Base + Length;
}
