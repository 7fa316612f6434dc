using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>A named way to use a messaging system, in one or several phases.</summary>
public interface IBenchWorkload
{
    /// <summary>As the command line has it.</summary>
    string Name { get; }

    /// <summary>What the target must be able to do.</summary>
    BenchAbilities Needs { get; }

    /// <summary>Prepares the target and runs the phases; what was measured is in the run, also after a cancellation.</summary>
    Task RunAsync(WorkloadRun run, CancellationToken cancellationToken);
}
