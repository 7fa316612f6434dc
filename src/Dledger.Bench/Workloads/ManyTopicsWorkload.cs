using System.Globalization;
using Dledger.Bench.Measuring;
using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>Sends to many topics in turn, and to one of them, alternating: what do many topics cost?</summary>
/// <remarks>The first phase has one topic in the whole system, so that what the others cost by being there shows, too.</remarks>
public sealed class ManyTopicsWorkload : IBenchWorkload
{
    /// <inheritdoc/>
    public string Name => "many-topics";

    /// <inheritdoc/>
    public BenchAbilities Needs => BenchAbilities.None;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        var many = string.Create(CultureInfo.InvariantCulture, $"{options.Topics} topics");
        await run.Target.PrepareAsync(new BenchLayout(1, 0) { QueueCount = options.Queues }, cancellationToken);
        var alone = await PhaseAsync(run, "1 topic alone", 1, cancellationToken);
        await run.Target.PrepareAsync(new BenchLayout(options.Topics, 0) { QueueCount = options.Queues }, cancellationToken);
        var one = new List<LoadResult>();
        var all = new List<LoadResult>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            one.Add(await PhaseAsync(run, $"1 topic, round {round}", 1, cancellationToken));
            all.Add(await PhaseAsync(run, $"{many}, round {round}", options.Topics, cancellationToken));
        }

        run.AddRatio($"{many} / 1 of them, messages per second", Rate(all) / Rate(one));
        run.AddRatio($"{many} / 1 topic alone, messages per second", Rate(all) / Rate([alone]));
    }

    private static async Task<LoadResult> PhaseAsync(WorkloadRun run, string name, int topics, CancellationToken cancellationToken)
    {
        var produce = await run.ProduceAsync("produce", run.ProduceShape with { TopicCount = topics }, cancellationToken);
        var phase = new BenchPhase(name, run.Options.WarmUp, run.Options.Duration, [produce]);
        return (await run.MeasureAsync(phase, cancellationToken)).Loads[0];
    }

    private static double Rate(IReadOnlyList<LoadResult> results) =>
        results.Sum(result => result.Messages) / Math.Max(results.Sum(result => result.Seconds), double.Epsilon);
}
