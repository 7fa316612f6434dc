using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>Sends to topics in turn, a fixed number at a time or at a fixed rate.</summary>
public sealed class ProduceWorkload : IBenchWorkload
{
    /// <inheritdoc/>
    public string Name => "produce";

    /// <inheritdoc/>
    public BenchAbilities Needs => BenchAbilities.None;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        await run.Target.PrepareAsync(new BenchLayout(options.Topics, 0) { QueueCount = options.Queues }, cancellationToken);
        var produce = await run.ProduceAsync("produce", run.ProduceShape, cancellationToken);
        await run.MeasureAsync(new BenchPhase(Name, options.WarmUp, options.Duration, [produce]), cancellationToken);
    }
}
