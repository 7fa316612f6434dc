using Dledger.Bench.Targets;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>The measurements of all rounds as lines of figures, each with how Dledger stands beside the best peer of its kind.</summary>
/// <remarks>
/// Only systems whose acknowledgements promise the same meet in one table. A value is the median of the rounds. A ratio is taken within
/// each round and its median shown: what disturbs a whole round disturbs both sides of it.
/// </remarks>
internal sealed record RatioTable(AckDurability Durability, IReadOnlyList<ComparedSystem> Systems, IReadOnlyList<RatioLine> Lines)
{
    /// <summary>Rows that are no workloads: the nodes without work, and the most memory of all rows.</summary>
    public static IReadOnlyList<(string Key, string Title, IReadOnlyList<Figure> Figures)> Rows { get; } =
    [
        .. ContestRow.All.Select(row => (row.Key, row.Title, row.Figures)),
        (IdleRow, "idle", [Figure.IdleCpu, Figure.Memory]),
        (BusyRow, "most memory of all rows", [Figure.Memory]),
    ];

    /// <summary>Key of the row without work.</summary>
    public const string IdleRow = "idle";

    /// <summary>Key of the row that is made from the others.</summary>
    public const string BusyRow = "busy";

    /// <summary>One table for each kind of acknowledgement, the durable one first.</summary>
    public static IReadOnlyList<RatioTable> Build(ComparisonResult result) =>
    [
        .. from system in result.Systems
           group system by system.Ack.Durability into kind
           orderby kind.Key descending
           select new RatioTable(kind.Key, [.. kind], LinesOf([.. kind], [.. result.Measurements, .. Busy(result.Measurements)])),
    ];

    private static IReadOnlyList<RatioLine> LinesOf(IReadOnlyList<ComparedSystem> systems, IReadOnlyList<Measurement> measurements) =>
    [
        .. from row in Rows
           let runs = measurements.Where(run => run.Row == row.Key && systems.Any(system => system.Key == run.System)).ToArray()
           where runs.Length > 0
           from figure in row.Figures
           select Line(row.Key, row.Title, figure, systems, runs),
    ];

    private static RatioLine Line(
        string row, string title, Figure figure, IReadOnlyList<ComparedSystem> systems, IReadOnlyList<Measurement> runs)
    {
        var cells = systems.ToDictionary(system => system.Key, system => Cell(figure, runs.Where(run => run.System == system.Key)));
        var best = systems.Where(system => system.IsPeer && cells[system.Key] is not null)
            .OrderByDescending(system => figure.MoreIsBetter ? cells[system.Key]!.Median : -cells[system.Key]!.Median)
            .FirstOrDefault();
        return new RatioLine(
            row,
            title,
            figure,
            cells,
            best is null
                ? []
                : [.. systems.Where(system => !system.IsPeer).Select(system => Ratio(system, best, figure, runs)).OfType<Ratio>()]);
    }

    private static Cell? Cell(Figure figure, IEnumerable<Measurement> runs)
    {
        var known = runs.Where(run => figure.Of(run) is not null).ToArray();
        return known.Length == 0
            ? null
            : new Cell(
                Median([.. known.Select(run => figure.Of(run)!.Value)]),
                known.Any(run => run.IsDisturbed),
                known.Any(run => run.Failures > 0));
    }

    private static Ratio? Ratio(ComparedSystem system, ComparedSystem peer, Figure figure, IReadOnlyList<Measurement> runs)
    {
        var ratios =
            (from ours in runs
             where ours.System == system.Key
             from theirs in runs
             where theirs.System == peer.Key && theirs.Round == ours.Round
             let ratio = figure.Ratio(figure.Of(ours), figure.Of(theirs))
             where ratio is not null
             select ratio.Value).ToArray();
        return ratios.Length == 0 ? null : new Ratio(system, peer, Median(ratios), ratios.Min(), ratios.Max());
    }

    private static IEnumerable<Measurement> Busy(IReadOnlyList<Measurement> measurements) =>
        from run in measurements
        where run.MemoryBytes is not null && run.Row != IdleRow
        group run by (run.System, run.Round) into turn
        let largest = turn.MaxBy(run => run.MemoryBytes)!
        select new Measurement
        {
            System = turn.Key.System,
            Round = turn.Key.Round,
            Row = BusyRow,
            MemoryBytes = largest.MemoryBytes,
        };

    private static double Median(double[] values)
    {
        Array.Sort(values);
        var middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}

/// <summary>One figure of one row.</summary>
/// <param name="Row">Key of the row.</param>
/// <param name="Title">Of the row.</param>
/// <param name="Figure">What the values are.</param>
/// <param name="Cells">By key of the system; null: not measured.</param>
/// <param name="Ratios">One for each system of ours, where it can be said.</param>
internal sealed record RatioLine(
    string Row, string Title, Figure Figure, IReadOnlyDictionary<string, Cell?> Cells, IReadOnlyList<Ratio> Ratios);

/// <summary>One value of a table.</summary>
/// <param name="Median">Of the rounds.</param>
/// <param name="IsDisturbed">In at least one of them.</param>
/// <param name="HasFailures">In at least one of them.</param>
internal sealed record Cell(double Median, bool IsDisturbed, bool HasFailures);

/// <summary>How a system of ours stands beside a peer: above 1 it is that many times better, below 1 that much worse.</summary>
internal sealed record Ratio(ComparedSystem System, ComparedSystem Peer, double Median, double Min, double Max)
{
    /// <summary>Who is ahead.</summary>
    public ComparedSystem Ahead => Median >= 1 ? System : Peer;
}
