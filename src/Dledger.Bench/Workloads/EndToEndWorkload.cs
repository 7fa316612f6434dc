using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>Sends at a fixed rate, and measures from the moment at which each message should have been sent to its delivery.</summary>
public sealed class EndToEndWorkload : IBenchWorkload
{
    private const double RateDefault = 1_000;

    /// <inheritdoc/>
    public string Name => "end-to-end";

    /// <inheritdoc/>
    public BenchAbilities Needs => BenchAbilities.Groups;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        await run.Target.PrepareAsync(new BenchLayout(options.Topics, 1) { QueueCount = options.Queues }, cancellationToken);
        var produce = await run.ProduceAsync(
            "produce", run.ProduceShape with { Rate = options.Rate ?? RateDefault }, cancellationToken);
        var shape = new ConsumeShape
        {
            CountMax = run.ReceiveCount,
            Latency = ConsumeLatency.EndToEnd,
            Follows = produce,
        };
        var consume = await run.ConsumeAsync("end to end", 0, shape, cancellationToken);
        await run.MeasureAsync(new BenchPhase(Name, options.WarmUp, options.Duration, [produce, consume]), cancellationToken);
    }
}
