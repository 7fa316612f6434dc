namespace Dledger.Chaos.Reports;

/// <summary>What one kind of fault did to the clients.</summary>
internal sealed record FaultFigures
{
    public required string Kind { get; init; }

    public required string Code { get; init; }

    public int Injected { get; init; }

    public int Bit { get; init; }

    /// <summary>Why it was not run; null: it was.</summary>
    public string? NotRun { get; init; }

    /// <summary>Longest gap without an acked send that overlaps an injection, ms: one number for each, in order of length.
    /// </summary>
    public IReadOnlyList<double> GapMilliseconds { get; init; } = [];

    public double GapP50 => Percentile(0.5);

    public double GapP99 => Percentile(0.99);

    public double GapMax => GapMilliseconds.Count == 0 ? 0 : GapMilliseconds[^1];

    /// <summary>From the heal until the cluster was whole, ms, the longest.</summary>
    public double WholeMaxMilliseconds { get; init; }

    private double Percentile(double part) => GapMilliseconds.Count == 0
        ? 0
        : GapMilliseconds[(int)Math.Min(GapMilliseconds.Count - 1, Math.Ceiling(part * GapMilliseconds.Count) - 1)];
}
