using Dledger.Bench.Machines;
using Dledger.Bench.Targets;
using Dledger.Bench.Workloads;

namespace Dledger.Bench.Reports;

/// <summary>All that one command measured, and where: what programs are given.</summary>
/// <param name="Workload">Its name.</param>
/// <param name="CommandLine">As it was typed.</param>
/// <param name="Machine">That of the load generator.</param>
/// <param name="Cluster">What was measured; null for other systems.</param>
/// <param name="Runs">In their order; the last one may have been interrupted.</param>
public sealed record BenchReport(
    string Workload, string CommandLine, MachineDescription Machine, ClusterSummary? Cluster, IReadOnlyList<RunResult> Runs);

/// <summary>One run of the workload.</summary>
/// <param name="Target">Name of the measured system and its interface.</param>
/// <param name="Ack">What an acknowledgement means there.</param>
/// <param name="Options">How it ran.</param>
/// <param name="Phases">What was measured.</param>
/// <param name="Ratios">Comparisons between phases, by name.</param>
/// <param name="Notes">What a reader has to know.</param>
/// <param name="IsInterrupted">It did not run to its end.</param>
public sealed record RunResult(
    string Target,
    AckPromise Ack,
    WorkloadOptions Options,
    IReadOnlyList<PhaseResult> Phases,
    IReadOnlyDictionary<string, double> Ratios,
    IReadOnlyList<string> Notes,
    bool IsInterrupted)
{
    /// <summary>What a run has measured so far.</summary>
    public static RunResult Of(WorkloadRun run, bool isInterrupted) => new(
        run.Target.Name, run.Target.Ack, run.Options, [.. run.Phases], run.Ratios, [.. run.Notes], isInterrupted);
}
