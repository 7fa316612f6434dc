using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>Receives and acknowledges what was written just before, or reads it without acknowledgements.</summary>
public sealed class ConsumeWorkload(bool isPlainRead) : IBenchWorkload
{
    private const int WarmUpShare = 10;

    /// <inheritdoc/>
    public string Name => isPlainRead ? "read" : "consume";

    /// <inheritdoc/>
    public BenchAbilities Needs => isPlainRead ? BenchAbilities.PlainRead : BenchAbilities.Groups;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        var layout = new BenchLayout(options.Topics, isPlainRead ? 0 : 1) { QueueCount = options.Queues };
        await run.Target.PrepareAsync(layout, cancellationToken);

        // By count and not by time: a warm-up that lasts must not leave nothing to measure.
        var some = await run.FillAsync(Math.Max(options.Messages / WarmUpShare, 1), options.Topics, cancellationToken);
        var warmUp = await LoadAsync(run, some, cancellationToken);
        await run.PrepareAsync(new BenchPhase("warm-up", TimeSpan.Zero, options.ReadTimeMax, [warmUp]), cancellationToken);

        await run.CloseConsumersAsync();
        var there = await run.FillAsync(options.Messages, options.Topics, cancellationToken);
        var consume = await LoadAsync(run, isPlainRead ? some + there : there, cancellationToken);
        await run.MeasureAsync(new BenchPhase(Name, TimeSpan.Zero, options.Duration, [consume]), cancellationToken);
    }

    private Task<ConsumeLoad> LoadAsync(WorkloadRun run, long messages, CancellationToken cancellationToken)
    {
        // Each reader reads all of its topic: together they read what is there as often as there are readers for each topic.
        var shape = new ConsumeShape
        {
            CountMax = run.ReceiveCount,
            MessagesMax = isPlainRead ? messages * run.Options.Consumers / run.Options.Topics : messages,
        };
        return isPlainRead ? run.ReadAsync(Name, shape, cancellationToken) : run.ConsumeAsync(Name, 0, shape, cancellationToken);
    }
}
