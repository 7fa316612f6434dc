using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// What <see cref="CommitLog.Open"/> found. Exactly one of <see cref="Log"/> and <see cref="Damage"/> is set.
/// </summary>
public sealed record CommitLogRecovery
{
    /// <summary>The log, ready for use; everything up to its end is durable.</summary>
    public CommitLog? Log { get; init; }

    /// <summary>
    /// Set when bytes below the durable watermark are missing or wrong. Nothing was changed on disk; the node may
    /// neither vote nor lead.
    /// </summary>
    public LogDamage? Damage { get; init; }

    /// <summary>
    /// All that is damaged, in order, as far as the scan saw it: from the log checkpoint on, or from the start when
    /// header
    /// pages are damaged, segments missing, or everything was to be verified. Empty when only <see cref="Damage"/> can
    /// say
    /// what is wrong.
    /// </summary>
    public IReadOnlyList<DamagedRange> DamagedRanges { get; init; } = [];

    /// <summary>Set with the ranges when bytes of a peer can mend them.</summary>
    public LogRepair? Repair { get; init; }

    /// <summary>Bases of the segments whose header pages were damaged and have been written again.</summary>
    public IReadOnlyList<LogPosition> RebuiltHeaders { get; init; } = [];

    /// <summary>The terms of the log; the caller's own copy.</summary>
    public required EpochTable Epochs { get; init; }

    /// <summary>
    /// The configuration records of the log, oldest first; of those before its start only the one in force there. Without any, the
    /// cluster's first configuration is in force.
    /// </summary>
    public IReadOnlyList<LogConfiguration> Configurations { get; init; } = [];

    /// <summary>The last valid frame.</summary>
    public required ChainTail Tail { get; init; }

    /// <summary>
    /// A lower bound of the commit position: the highest hint of the frames read, or the log checkpoint.
    /// </summary>
    public required LogPosition CommitHint { get; init; }

    /// <summary>The durable watermark found on disk.</summary>
    public required LogPosition Watermark { get; init; }

    /// <summary>Whether bytes behind the end looked like an interrupted write and were cut off.</summary>
    public bool TornTail { get; init; }

    /// <summary>Whether the directory was empty and a new log was created.</summary>
    public bool Created { get; init; }

    /// <summary>Bytes whose checksums were verified.</summary>
    public long VerifiedBytes { get; init; }
}
