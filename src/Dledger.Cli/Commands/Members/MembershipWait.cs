using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;
using Dledger.Client.Errors;

namespace Dledger.Cli.Commands.Members;

/// <summary>Asks for a change of the members again and again until it is done; the cluster goes on with it in between.</summary>
internal static class MembershipWait
{
    /// <summary>How long a command waits for the change.</summary>
    public static Option<double> Timeout() => new("--timeout")
    {
        Description = "Seconds to wait until the change is done; 0: ask once.",
        DefaultValueFactory = _ => 600,
        HelpName = "seconds",
    };

    /// <summary>Waits; on the way the error stream says what for.</summary>
    /// <param name="terminal">Where progress goes.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="ask">Asks once; the answer comes within seconds.</param>
    public static async Task<MembershipProgress> UntilDoneAsync(
        Terminal terminal, double seconds, Func<Task<MembershipProgress>> ask)
    {
        if (seconds is not (>= 0 and <= 604_800))
        {
            throw new UsageException($"--timeout {seconds.ToString(CultureInfo.InvariantCulture)} is outside 0..604800 seconds.");
        }

        var started = TimeProvider.System.GetTimestamp();
        var told = "";
        while (true)
        {
            var progress = await AskAsync(ask);
            if (progress.IsDone || TimeProvider.System.GetElapsedTime(started).TotalSeconds >= seconds)
            {
                return progress;
            }

            if (progress.WaitsFor != told)
            {
                told = progress.WaitsFor;
                terminal.Error.WriteLine($"waiting: {told}");
            }
        }
    }

    /// <summary>Says how it ended.</summary>
    public static ExitCode Report(
        Terminal terminal, bool isJson, MembershipProgress progress, int node, string done, string notDone)
    {
        if (isJson)
        {
            JsonText.Write(terminal.Output, new { nodeId = node, isDone = progress.IsDone, waitsFor = progress.WaitsFor });
        }
        else if (progress.IsDone)
        {
            terminal.Output.WriteLine(done);
        }

        if (progress.IsDone)
        {
            return ExitCode.Ok;
        }

        terminal.Fault($"{notDone}: {progress.WaitsFor}");
        terminal.Advise("What was begun stays. Run the same command again to go on; 'dledger node list' shows where it stands.");
        return ExitCode.Unavailable;
    }

    // Asking twice is the same as asking once, so a lost answer is no reason to give up.
    private static async Task<MembershipProgress> AskAsync(Func<Task<MembershipProgress>> ask)
    {
        try
        {
            return await ask();
        }
        catch (OutcomeUnknownException fault)
        {
            return new MembershipProgress(false, fault.Summary);
        }
    }
}
