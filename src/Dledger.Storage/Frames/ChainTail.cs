using Dledger.Primitives;

namespace Dledger.Storage.Frames;

/// <summary>What the next frame must continue: the last frame of a log, seen from behind.</summary>
/// <param name="End">Position after the last frame; base of the next one.</param>
/// <param name="HeaderCrc">Header checksum of the last frame; the cluster seed before the first.</param>
/// <param name="FrameLength">Bytes of the last frame; 0 before the first.</param>
/// <param name="Term">Term of the last frame.</param>
/// <param name="LogTime">Log time of the last frame, microseconds since the Unix epoch.</param>
public readonly record struct ChainTail(LogPosition End, uint HeaderCrc, int FrameLength, Term Term, long LogTime)
{
    /// <summary>The tail of an empty log.</summary>
    public static ChainTail Genesis(ClusterSeed seed) => new(LogPosition.Zero, seed.Value, 0, Term.Zero, 0);
}
