using System.Diagnostics;

namespace Dledger.Chaos.Machines;

/// <summary>A tool of the machine, run to its end within a deadline.</summary>
/// <param name="ExitCode">Of the tool; 127 when it does not exist.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal sealed record Command(int ExitCode, string Output, string Error)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs it, whatever it answers. One that does not end in time is killed.</summary>
    public static async Task<Command> TryAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return new Command(127, "", $"{program}: {exception.Message}");
        }

        using (process)
        {
            using var limit = new CancellationTokenSource(Patience);
            try
            {
                var output = process!.StandardOutput.ReadToEndAsync(limit.Token);
                var error = process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                return new Command(process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException)
            {
                process!.Kill();
                return new Command(124, "", $"{program}: not over within {Patience.TotalSeconds:0} s");
            }
        }
    }

    /// <summary>Runs it, and it must succeed.</summary>
    /// <exception cref="ChaosException">It failed; the message is what it said.</exception>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var run = await TryAsync(program, arguments);
        return run.ExitCode == 0
            ? run.Output
            : throw new ChaosException(
                $"{program} {string.Join(' ', arguments)}: exit code {run.ExitCode}: {run.Error.Trim()}");
    }

    /// <summary>Whether a program of this name is on the path.</summary>
    public static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Append("/usr/sbin").Append("/sbin")
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
