using System.Globalization;
using Dledger.Bench.Machines;
using Dledger.Bench.Measuring;
using Dledger.Bench.Workloads;

namespace Dledger.Bench.Reports;

/// <summary>A report as people read it: one row for each load of each phase, and what has to be said beside the rows.</summary>
public static class BenchTable
{
    private const double MiB = 1 << 20;

    public static IReadOnlyList<string> Headings { get; } =
    [
        "SIZE", "PHASE", "LOAD", "IN FLIGHT", "BATCH", "MSG/S", "MIB/S", "P50 MS", "P90 MS", "P99 MS", "P99.9 MS", "MAX MS", "LATE P99", "FAILED",
        "OTHERS",
    ];

    /// <summary>In the order of the runs.</summary>
    public static IEnumerable<IReadOnlyList<string>> Rows(BenchReport report) =>
        from run in report.Runs
        from phase in run.Phases
        from load in phase.Loads
        select Row(run.Options, phase, load);

    /// <summary>Where the figures come from: a line each.</summary>
    public static IEnumerable<string> Origin(BenchReport report)
    {
        yield return $"{report.Workload}: {report.Machine.Time:yyyy-MM-dd HH:mm} UTC, dledger {report.Machine.Program}, {report.Machine}";
        if (report.Cluster is { } cluster)
        {
            var mode = cluster.FlushMode.Length == 0 ? "flush mode unknown" : cluster.FlushMode;
            yield return Text($"cluster of {cluster.NodeCount} nodes, {mode}");
        }

        foreach (var target in report.Runs.Select(run => $"{run.Target}: an ack means {run.Ack}").Distinct())
        {
            yield return target;
        }
    }

    /// <summary>Ratios, costs, notes and warnings: a line each.</summary>
    public static IEnumerable<string> Remarks(BenchReport report)
    {
        foreach (var run in report.Runs)
        {
            var of = report.Runs.Count == 1 ? "" : Text($"{run.Options.BodyBytes} B, {run.Options.InFlight} in flight: ");
            foreach (var line in Remarks(run))
            {
                yield return of + line;
            }
        }
    }

    private static IEnumerable<string> Remarks(RunResult run)
    {
        foreach (var (name, value) in run.Ratios)
        {
            yield return Text($"{name}: {value:0.000}");
        }

        foreach (var phase in run.Phases.Where(phase => phase.GeneratorCpuSecondsPerMillion is not null))
        {
            var nodes = phase.Nodes is { } found
                ? Text($", {found.Nodes} nodes here {phase.NodeCpuSecondsPerMillion:0.0}; {found.MemoryBytesMax / MiB:0} MiB memory in the largest")
                : "";
            yield return Text(
                $"{phase.Name}: CPU seconds per million messages: generator {phase.GeneratorCpuSecondsPerMillion:0.0}{nodes}");
        }

        foreach (var (phase, load, kind, error) in
            from phase in run.Phases
            from load in phase.Loads
            from error in load.Errors
            select (phase.Name, load.Name, error.Key, error.Value))
        {
            yield return Text($"{phase}, {load}: {error.Count} x {kind}: {error.First.ReplaceLineEndings(" ")}");
        }

        foreach (var phase in run.Phases.Where(phase => phase.IsDisturbed))
        {
            yield return Text(
                $"{phase.Name}: DISTURBED, other processes used {phase.OtherCores:0.00} cores (limit {NeighbourLoad.CoresMax:0.0}); measure again");
        }

        foreach (var note in run.Notes)
        {
            yield return note;
        }

        if (run.IsInterrupted)
        {
            yield return "interrupted: the figures are those until then";
        }
    }

    private static string[] Row(WorkloadOptions options, PhaseResult phase, LoadResult load) =>
    [
        Text($"{options.BodyBytes}"), phase.Name, load.Name, Text($"{load.InFlight}"), Text($"{load.Batch}"),
        Text($"{load.MessagesPerSecond:0}"),
        Text($"{load.BytesPerSecond / MiB:0.0}"),
        Text($"{load.Latency.P50:0.00}"),
        Text($"{load.Latency.P90:0.00}"),
        Text($"{load.Latency.P99:0.00}"),
        Text($"{load.Latency.P999:0.00}"),
        Text($"{load.Latency.Max:0.00}"),
        load.Lateness is { } lateness ? Text($"{lateness.P99:0.00}") : "-",
        Text($"{load.Errors.Values.Sum(error => error.Count)}"),
        Text($"{phase.OtherCores:0.00}"),
    ];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
