using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>A storm of redeliveries: every message is given back some times before it is acknowledged.</summary>
public sealed class RedeliveryWorkload : IBenchWorkload
{
    /// <inheritdoc/>
    public string Name => "redelivery";

    /// <inheritdoc/>
    public BenchAbilities Needs => BenchAbilities.Groups | BenchAbilities.Return;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        await run.Target.PrepareAsync(new BenchLayout(options.Topics, 1) { QueueCount = options.Queues }, cancellationToken);
        var there = await run.FillAsync(options.Messages, options.Topics, cancellationToken);
        var shape = new ConsumeShape { CountMax = run.ReceiveCount, Returns = options.Returns, MessagesMax = there };
        var deliveries = await run.ConsumeAsync("deliveries", 0, shape, cancellationToken);
        await run.MeasureAsync(new BenchPhase(Name, TimeSpan.Zero, options.Duration, [deliveries]), cancellationToken);
        run.AddRatio("deliveries / messages", run.Phases[^1].Loads[0].Messages / (double)there);
    }
}
