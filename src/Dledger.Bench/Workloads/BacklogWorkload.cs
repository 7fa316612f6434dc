using System.Globalization;
using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>
/// Writes a backlog, then sends to another topic at half of what goes, first alone and then while the backlog is read from the disk:
/// what does a consumer that is far behind cost those who are not?
/// </summary>
public sealed class BacklogWorkload : IBenchWorkload
{
    private const int BacklogTopic = 0;
    private const int LiveTopic = 1;

    // Messages that come by themselves do not wait for the answers to others: too few at a time, and what is measured is the line before them.
    private const int InFlightAtRate = 1_024;

    /// <inheritdoc/>
    public string Name => "backlog";

    /// <inheritdoc/>
    public BenchAbilities Needs => BenchAbilities.Groups;

    /// <inheritdoc/>
    public async Task RunAsync(WorkloadRun run, CancellationToken cancellationToken)
    {
        var options = run.Options;
        await run.Target.PrepareAsync(new BenchLayout(LiveTopic + 1, 1) { QueueCount = options.Queues }, cancellationToken);
        var there = await run.FillAsync(Math.Max(options.BacklogBytes / options.BodyBytes, 1), BacklogTopic + 1, cancellationToken);

        var live = run.ProduceShape with { TopicFirst = LiveTopic, TopicCount = 1 };
        var full = await run.ProduceAsync("produce", live with { Rate = null }, cancellationToken);
        var fullPhase = new BenchPhase("full load", options.WarmUp, options.Duration, [full]);
        var rate = options.Rate ?? ((await run.MeasureAsync(fullPhase, cancellationToken)).Loads[0].MessagesPerSecond / 2);

        var half = live with { Rate = Math.Max(rate, 1), InFlight = InFlightOf(live) };
        var alone = await run.ProduceAsync("produce", half, cancellationToken);
        var before = await run.MeasureAsync(new BenchPhase("half load alone", options.WarmUp, options.Duration, [alone]), cancellationToken);

        run.AddNote(run.MakeCold?.Invoke() ?? "The backlog was not taken out of any page cache: nobody here can do that for the nodes.");
        var beside = await run.ProduceAsync("produce", half, cancellationToken);
        var reading = new ConsumeShape { CountMax = run.ReceiveCount, MessagesMax = there };
        var read = await run.ConsumeAsync("backlog", 0, reading, cancellationToken);
        var phase = new BenchPhase("half load while the backlog is read", TimeSpan.Zero, options.ReadTimeMax, [beside, read]);
        var during = await run.MeasureAsync(phase, cancellationToken);

        if (before.Loads[0].Latency.P99 is var p99 && p99 > 0)
        {
            run.AddRatio("p99 of produce, while / before", during.Loads[0].Latency.P99 / p99);
        }

        run.AddNote(string.Create(
            CultureInfo.InvariantCulture,
            $"Read {during.Loads[1].Messages} of {there} messages of the backlog in {during.Loads[1].Seconds:0.0} s."));
        if (during.Nodes is { } nodes)
        {
            run.AddNote(string.Create(
                CultureInfo.InvariantCulture,
                $"The nodes fetched {nodes.ReadBytes / (double)(1 << 20):0} MiB from disks meanwhile."));
        }
    }

    private static int InFlightOf(ProduceShape shape) =>
        (int)Math.Max(shape.InFlight, Math.Min(InFlightAtRate, ProduceLoad.BufferBytesMax / ((long)shape.BatchCount * shape.BodyBytes)));
}
