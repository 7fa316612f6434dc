using System.Diagnostics;
using System.Text.Json;

namespace Dledger.Integration.Tests.Processes;

/// <summary>What a program that ran to its end has said.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Error)
{
    /// <summary>The answer of a <c>--json</c> command.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>The answers of a command that writes one for each line.</summary>
    public IReadOnlyList<JsonElement> JsonLines =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Runs the built dledger.</summary>
    public static Task<ProgramRun> DledgerAsync(params string[] arguments) =>
        RunAsync(Repository.Binary, arguments, input: "", Directory.GetCurrentDirectory(), TimeSpan.FromMinutes(2));

    /// <summary>Runs a program to its end, or kills it when it takes longer than it may.</summary>
    public static async Task<ProgramRun> RunAsync(
        string program, IEnumerable<string> arguments, string input, string directory, TimeSpan deadline)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        using var timeout = new CancellationTokenSource(deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var error = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(timeout.Token);
            return new ProgramRun(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)}: not within {deadline.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
