using Dledger.Bench.Machines;
using Dledger.Bench.Measuring;

namespace Dledger.Bench.Workloads;

/// <summary>What one phase measured.</summary>
/// <param name="Name">Of the phase.</param>
/// <param name="Loads">One row each.</param>
/// <param name="OtherCores">CPU that other processes of the machine used meanwhile, in cores.</param>
/// <param name="StolenCores">CPU that the host gave to other guests meanwhile, in cores.</param>
/// <param name="Nodes">What the nodes on this machine took; null when none were found here.</param>
public sealed record PhaseResult(
    string Name, IReadOnlyList<LoadResult> Loads, double OtherCores, double StolenCores, NodeUsage? Nodes)
{
    /// <summary>CPU seconds of this process, which makes the load: what it takes the nodes beside it do not have.</summary>
    public double GeneratorCpuSeconds { get; init; }

    /// <summary>Other processes used so much CPU that the figures are not to be relied on.</summary>
    public bool IsDisturbed => OtherCores > NeighbourLoad.CoresMax;

    /// <summary>CPU seconds of all nodes for a million messages of all rows; null when unknown.</summary>
    public double? NodeCpuSecondsPerMillion => Nodes is { } nodes ? PerMillion(nodes.CpuSeconds) : null;

    /// <summary>CPU seconds of this process for a million messages of all rows; null without messages.</summary>
    public double? GeneratorCpuSecondsPerMillion => PerMillion(GeneratorCpuSeconds);

    private double? PerMillion(double seconds) =>
        Loads.Sum(load => load.Messages) is var messages && messages > 0 ? seconds / messages * 1e6 : null;
}
