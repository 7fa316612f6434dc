using System.CommandLine;
using Dledger.Bench.Workloads;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Bench;

/// <summary><c>dledger bench all</c>: every workload with settings that show what a cluster can do, one after another.</summary>
internal static class BenchSuite
{
    private const int BatchBytesMax = 1 << 20;
    private const int BatchCountMax = 100;

    private static readonly IReadOnlyList<Part> Parts =
    [
        new(new ProduceWorkload(), BenchApi.V2, options => [options with { InFlight = 1 }, options]),
        new(new ProduceWorkload(), BenchApi.Stream, options => [options, Batched(options)]),
        new(new ConsumeWorkload(isPlainRead: false), BenchApi.V2, options => [options]),
        new(new ConsumeWorkload(isPlainRead: false), BenchApi.Stream, options => [Streamed(options)]),
        new(new ConsumeWorkload(isPlainRead: true), BenchApi.Stream, options => [Streamed(options) with { Consumers = 1 }]),
        new(new EndToEndWorkload(), BenchApi.V2, options => [options]),
        new(new EndToEndWorkload(), BenchApi.Stream, options => [options]),
        new(new MixedWorkload("mixed", isFanOut: false), BenchApi.V2, options => [options]),
        new(new MixedWorkload("fan-out", isFanOut: true), BenchApi.V2, options => [options]),
        new(new ManyTopicsWorkload(), BenchApi.V2, options => [options with { Topics = 1_000 }]),
        new(new RedeliveryWorkload(), BenchApi.V2, options => [options with { Messages = Math.Max(options.Messages / 5, 1) }]),
        new(new BacklogWorkload(), BenchApi.V2, options => [options]),
    ];

    public static Command Create(Terminal terminal)
    {
        var command = new Command("all", "Every workload with usual settings, one report after another.");
        var arguments = BenchArguments.AddTo(command, BenchFeatures.WarmsUp | BenchFeatures.Backlog | BenchFeatures.Stocked, topics: 1, topicsMin: 1);
        var output = BenchOutputArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var sizes = arguments.Read(result);
            output.Check(result);
            var invocation = new BenchInvocation(channel, terminal, result, isJson, arguments, output);
            var worst = ExitCode.Ok;
            foreach (var part in Parts)
            {
                var exitCode = await invocation.MeasureAsync(
                    part.Workload, part.Api, [.. sizes.SelectMany(part.Runs)], cancellationToken);
                worst = exitCode == ExitCode.Ok ? worst : exitCode;
                if (exitCode == ExitCode.Interrupted)
                {
                    break;
                }
            }

            return worst;
        });
    }

    private static WorkloadOptions Batched(WorkloadOptions options) => options with
    {
        InFlight = 16,
        Batch = Math.Clamp(BatchBytesMax / options.BodyBytes, 1, BatchCountMax),
    };

    // A stream brings more at a time, and is through sooner.
    private static WorkloadOptions Streamed(WorkloadOptions options) => options with { ReceiveCount = 256, Messages = options.Messages * 10 };

    /// <param name="Workload">What is done.</param>
    /// <param name="Api">How.</param>
    /// <param name="Runs">The runs for each size.</param>
    private sealed record Part(IBenchWorkload Workload, BenchApi Api, Func<WorkloadOptions, IEnumerable<WorkloadOptions>> Runs);
}
