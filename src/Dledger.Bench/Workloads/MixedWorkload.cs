using System.Globalization;
using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>Sends while one group or several receive everything that is sent.</summary>
/// <param name="name">As the command line has it.</param>
/// <param name="isFanOut">Several groups, as the options say; else one.</param>
public sealed class MixedWorkload(string name, bool isFanOut) : IBenchWorkload
{
    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public BenchAbilities Needs => BenchAbilities.Groups;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        var groups = isFanOut ? options.Groups : 1;
        await run.Target.PrepareAsync(new BenchLayout(options.Topics, groups) { QueueCount = options.Queues }, cancellationToken);
        var loads = new List<IBenchLoad> { await run.ProduceAsync("produce", run.ProduceShape, cancellationToken) };
        for (var group = 0; group < groups; group++)
        {
            var row = isFanOut ? string.Create(CultureInfo.InvariantCulture, $"group {group + 1}") : "consume";
            loads.Add(await run.ConsumeAsync(row, group, new ConsumeShape { CountMax = run.ReceiveCount }, cancellationToken));
        }

        await run.MeasureAsync(new BenchPhase(Name, options.WarmUp, options.Duration, loads), cancellationToken);
        var produced = run.Phases[^1].Loads[0].Messages;
        for (var group = 1; group <= groups && produced > 0; group++)
        {
            var load = run.Phases[^1].Loads[group];
            run.AddRatio($"{load.Name} / produce, messages", load.Messages / (double)produced);
        }
    }
}
