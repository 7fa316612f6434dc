using Dledger.Bench.Reports;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Bench;

/// <summary>What the exit code of a benchmark says: whether its figures are of a system that worked, not whether they are good.</summary>
internal static class BenchVerdict
{
    public static ExitCode Of(Terminal terminal, BenchReport report)
    {
        if (report.Runs.Any(run => run.IsInterrupted))
        {
            return ExitCode.Interrupted;
        }

        var idle = from run in report.Runs from phase in run.Phases from each in phase.Loads where each.Messages == 0 select each;
        if (idle.FirstOrDefault() is not { } load)
        {
            return ExitCode.Ok;
        }

        terminal.Fault($"Not one message of '{load.Name}' came through.");
        terminal.Advise(load.Errors.Values.FirstOrDefault()?.First ?? "Was the time long enough? See --duration.");
        return ExitCode.Unexpected;
    }
}
