using System.CommandLine;
using Dledger.Bench.Workloads;
using Dledger.Cli.Output;
using Dledger.Client.Connections;

namespace Dledger.Cli.Commands.Bench;

/// <summary>One command line of <c>dledger bench</c>: measures one workload after another as it says, and reports each.</summary>
internal sealed class BenchInvocation(
    DledgerChannel channel, Terminal terminal, ParseResult result, bool isJson, BenchArguments arguments, BenchOutputArguments output)
{
    private bool _hasReported;

    /// <returns>Not OK when it was interrupted, or something did not work at all.</returns>
    public async Task<ExitCode> MeasureAsync(
        IBenchWorkload workload, BenchApi api, IReadOnlyList<WorkloadOptions> runs, CancellationToken cancellationToken)
    {
        var session = new BenchSession(channel, terminal, workload, arguments.Names(result), output.CommandLine(result))
        {
            Runs = runs,
            Api = api,
            Compression = arguments.Compression(result, api),
            Keeps = arguments.Keeps(result),
            Reuses = arguments.Reuses(result),
            EvictedFolders = arguments.EvictedFolders(result),
        };
        var report = await session.RunAsync(cancellationToken);
        output.Write(terminal, result, report, isJson, isFirst: !_hasReported);
        _hasReported = true;
        return BenchVerdict.Of(terminal, report);
    }
}
