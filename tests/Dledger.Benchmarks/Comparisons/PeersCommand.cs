using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dledger.Chaos;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>The command behind <c>make bench-peers</c>.</summary>
internal static class PeersCommand
{
    private const int Done = 0;
    private const int DledgerMissing = 1;
    private const int CannotRun = 2;
    private const int Interrupted = 130;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        try
        {
            var options = ComparisonOptions.Parse(arguments);
            if (!File.Exists(options.Executable))
            {
                throw new ArgumentException($"{options.Executable} is missing.");
            }

            using var interrupted = new CancellationTokenSource();
            using var signals = new SignalGuard(interrupted, PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP);
            var result = await CompareAsync(options, output, interrupted.Token);
            await WriteAsync(options, result, output);
            return result.Absences.Any(absence => absence.System.StartsWith("dledger", StringComparison.Ordinal)) ? DledgerMissing : Done;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("interrupted; everything is cleaned up, and nothing was written");
            return Interrupted;
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or ChaosException)
        {
            await error.WriteLineAsync(exception.Message);
            return CannotRun;
        }
    }

    private static async Task<ComparisonResult> CompareAsync(
        ComparisonOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        await using var undertaker = Undertaker.Start("dledger-bench-");
        if (new DriveInfo(undertaker.Directory).DriveFormat is "tmpfs" or "ramfs")
        {
            // A sync there does nothing, and everybody would be as fast as the memory.
            throw new ArgumentException($"{undertaker.Directory} lies in memory; set TMPDIR to a directory on a disk.");
        }

        return await new Comparison(options, undertaker, output).RunAsync(cancellationToken);
    }

    private static async Task WriteAsync(ComparisonOptions options, ComparisonResult result, TextWriter output)
    {
        TextReport.Write(result, output);
        if (options.JsonFile is { } json)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(json)!);
            await File.WriteAllTextAsync(json, JsonSerializer.Serialize(result, Json) + "\n");
            await output.WriteLineAsync($"Everything that was measured: {json}");
        }

        if (options.DocumentFile is { } document)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(document)!);
            await File.AppendAllTextAsync(document, MarkdownReport.Render(result));
            await output.WriteLineAsync($"A section was added to {document}");
        }
    }
}
