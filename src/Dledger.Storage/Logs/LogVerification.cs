using Dledger.Primitives;

namespace Dledger.Storage.Logs;

/// <summary>What <see cref="LogInspector.Verify"/> found.</summary>
public sealed record LogVerification
{
    /// <summary>The first position kept.</summary>
    public required LogPosition Start { get; init; }

    /// <summary>End of the last valid frame.</summary>
    public required LogPosition End { get; init; }

    /// <summary>The durable watermark on disk.</summary>
    public required LogPosition Watermark { get; init; }

    public required int SegmentCount { get; init; }

    public required long FrameCount { get; init; }

    public required long RecordCount { get; init; }

    /// <summary>Term of the last valid frame.</summary>
    public required Term LastTerm { get; init; }

    /// <summary>Whether an interrupted write lies behind the end: no damage, the next start cuts it off.</summary>
    public required bool TornTail { get; init; }

    /// <summary>The first fault, or null when the log is sound.</summary>
    public LogDamage? Fault { get; init; }
}
