using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>What a frame says about the one before it.</summary>
public readonly record struct FrameLink(uint HeaderCrc, int FrameLength);

/// <summary>A stretch of the log that was durable and is missing or wrong; both ends are frame boundaries.</summary>
public sealed record DamagedRange
{
    /// <summary>Where the first bad frame begins.</summary>
    public required LogPosition From { get; init; }

    /// <summary>Where the next good frame begins; null when none follows.</summary>
    public LogPosition? To { get; init; }

    /// <summary>The log was durable at least up to here.</summary>
    public required LogPosition Minimum { get; init; }

    /// <summary>
    /// The good frame that ends at <see cref="From"/>; null when that is not known, then only a snapshot helps. Behind
    /// an
    /// earlier range its term and log time are lower bounds.
    /// </summary>
    public ChainTail? Before { get; init; }

    /// <summary>What the good frame at <see cref="To"/> continues: the proof that a repair is what was there.</summary>
    public FrameLink? After { get; init; }

    /// <summary>What was found, for an operator.</summary>
    public required string Reason { get; init; }

    /// <summary>The file that holds the range, and the base of its segment; null when the file is missing.</summary>
    internal (string Path, LogPosition Base)? File { get; init; }
}
