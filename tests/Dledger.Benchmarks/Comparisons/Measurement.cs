namespace Dledger.Benchmarks.Comparisons;

/// <summary>What one system did in one row of one round.</summary>
internal sealed record Measurement
{
    /// <summary>Key of the system.</summary>
    public required string System { get; init; }

    /// <summary>Key of the row.</summary>
    public required string Row { get; init; }

    /// <summary>From 1.</summary>
    public required int Round { get; init; }

    public double? MessagesPerSecond { get; init; }

    /// <summary>Milliseconds, as the others.</summary>
    public double? P50 { get; init; }

    public double? P99 { get; init; }

    public double? P999 { get; init; }

    /// <summary>Calls that failed.</summary>
    public long Failures { get; init; }

    /// <summary>Kind and text of the first failure; null without failures.</summary>
    public string? FirstFailure { get; init; }

    /// <summary>Of all nodes.</summary>
    public double? CpuSecondsPerMillion { get; init; }

    /// <summary>Of all nodes.</summary>
    public double? CpuSecondsPerSecond { get; init; }

    /// <summary>Resident, of the largest node, at the end.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>CPU that other processes used meanwhile, in cores.</summary>
    public double OtherCores { get; init; }

    /// <summary>CPU that the host gave to other guests meanwhile, in cores.</summary>
    public double StolenCores { get; init; }

    /// <summary>Other processes used so much that the figures are not to be relied on.</summary>
    public bool IsDisturbed { get; init; }
}

/// <summary>Something that could not be measured, and why.</summary>
/// <param name="System">Key of the system.</param>
/// <param name="Row">Key of the row; null: none of them.</param>
/// <param name="Round">From 1; 0: none of them.</param>
/// <param name="Reason">For people.</param>
internal sealed record Absence(string System, string? Row, int Round, string Reason);

/// <summary>How often files were synced while single messages were sent one after another.</summary>
/// <param name="System">Key of the system.</param>
/// <param name="Messages">Acknowledged.</param>
/// <param name="Syncs">fsync and fdatasync calls of each node.</param>
internal sealed record SyncEvidence(string System, int Messages, IReadOnlyList<int> Syncs)
{
    // A node now and then serves two messages by one sync.
    private const double OnEach = 0.9;

    /// <summary>
    /// Whether so many copies can have been synced before each acknowledgement: one node synced for each message, and the others together
    /// for the rest. Which of them is the one that an acknowledgement waits for may change from message to message.
    /// </summary>
    public bool Covers(int copies) =>
        Syncs.Max() >= Messages * OnEach && Syncs.Sum(count => Math.Min(count, Messages)) >= Messages * copies * OnEach;
}
