using System.CommandLine;
using Dledger.Bench.Workloads;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Bench;

/// <summary><c>dledger bench</c>: one command for each workload.</summary>
internal static class BenchCommand
{
    private const BenchFeatures Live = BenchFeatures.Sends | BenchFeatures.Paced | BenchFeatures.Spread | BenchFeatures.WarmsUp;
    private const BenchFeatures Stock = BenchFeatures.Receives | BenchFeatures.Stocked | BenchFeatures.Spread;

    public static Command Create(Terminal terminal) => new(
        "bench",
        "Measure a running cluster. Topics are made for it, called bench-..., and deleted at the end; no others are touched.")
    {
        BenchSuite.Create(terminal),
        Of(terminal, new ProduceWorkload(), Live, "Send messages: so many at a time, or at a fixed rate."),
        Of(terminal, new ConsumeWorkload(isPlainRead: false), Stock, "Receive and acknowledge messages that were just written."),
        Of(terminal, new ConsumeWorkload(isPlainRead: true), Stock, "Read messages that were just written, without a group; needs --api stream."),
        Of(terminal, new EndToEndWorkload(), Live | BenchFeatures.Receives,
            "Send at a fixed rate; the time until each message is there, from the moment at which it should have been sent."),
        Of(terminal, new MixedWorkload("mixed", isFanOut: false), Live | BenchFeatures.Receives, "Send and receive at the same time."),
        Of(terminal, new MixedWorkload("fan-out", isFanOut: true), Live | BenchFeatures.Receives | BenchFeatures.FansOut,
            "Send while several groups receive every message."),
        Of(terminal, new ManyTopicsWorkload(),
            BenchFeatures.Sends | BenchFeatures.Spread | BenchFeatures.WarmsUp | BenchFeatures.Alternates,
            "Send to many topics and to one of them, in turns, and compare.", topics: 1_000, topicsMin: 2),
        Of(terminal, new BacklogWorkload(),
            BenchFeatures.Sends | BenchFeatures.Paced | BenchFeatures.Receives | BenchFeatures.WarmsUp | BenchFeatures.Backlog,
            "Write a backlog, then send at half load, alone and while the backlog is read from the disk."),
        Of(terminal, new RedeliveryWorkload(), Stock | BenchFeatures.Returns,
            "Give each message back some times before it is acknowledged."),
    };

    private static Command Of(
        Terminal terminal, IBenchWorkload workload, BenchFeatures features, string description, int topics = 1, int topicsMin = 1)
    {
        var command = new Command(workload.Name, description);
        var arguments = BenchArguments.AddTo(command, features | BenchFeatures.ChoosesApi, topics, topicsMin);
        var output = BenchOutputArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var runs = arguments.Read(result);
            output.Check(result);
            var invocation = new BenchInvocation(channel, terminal, result, isJson, arguments, output);
            return await invocation.MeasureAsync(workload, arguments.Api(result), runs, cancellationToken);
        });
    }
}
