using Dledger.Primitives;

namespace Dledger.Raft;

/// <summary>What the core may ask about the frames of the local log; it never sees bytes.</summary>
/// <remarks>
/// Called on the owning loop only, from inside a call of the core. The view shows every frame named by an effect that the
/// driver has drained, and the frame given to <see cref="RaftCore.FrameAppended"/> already during that call. It shows
/// nothing behind a position that a drained <see cref="Effects.TruncateTo"/> cut away.
/// </remarks>
public interface IRaftLogView
{
    /// <summary>
    /// First position still kept; a frame boundary. Rises only between calls of the core, followed by
    /// <see cref="RaftCore.LogStartAdvanced"/>.
    /// </summary>
    LogPosition Start { get; }

    /// <summary>The frame that begins at a position; false when no frame begins there.</summary>
    bool TryGetFrame(LogPosition @base, out FrameSummary frame);

    /// <summary>
    /// Header checksum of the frame that ends at a position (at <see cref="Start"/>: of the frame before it, for a whole log
    /// the cluster's seed); false when no frame ends there.
    /// </summary>
    bool TryGetChain(LogPosition end, out uint headerCrc);

    /// <summary>
    /// The same for a position that was the end of a frame when it was written. When it can no longer be read the disk is
    /// damaged; the driver raises that as an exception of its own, which ends the step.
    /// </summary>
    uint GetChain(LogPosition end);

    /// <summary>
    /// Whether the frames from a frame boundary on can be sent at once; others have to be read first, see
    /// <see cref="Effects.ReadRange"/>.
    /// </summary>
    bool IsInMemory(LogPosition from);

    /// <summary>
    /// End of the last whole frame that begins at or behind <paramref name="from"/> so that the range holds at most
    /// <paramref name="bytesMax"/> bytes; a single larger frame goes alone. Asked only of what is in memory.
    /// </summary>
    LogPosition FindRangeEnd(LogPosition from, int bytesMax);
}
