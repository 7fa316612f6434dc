using System.Diagnostics;
using System.Globalization;

namespace Dledger.MicroBenchmarks.Paths;

/// <summary>Says how many bytes a node allocates for each message that is sent, received and acknowledged over gRPC.</summary>
/// <remarks>
/// The counts are exact but for what the node does on its own account meanwhile, a few bytes a message; they do not depend on the machine's
/// speed, except that more calls share a frame when the disk is slow.
/// </remarks>
internal static class PathReport
{
    private const int WarmUpCount = 6_000;

    /// <param name="arguments"><c>--count n</c>: calls that are counted; <c>--types</c>: also what was allocated most.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var count = 20_000;
        var withTypes = arguments.Contains("--types");
        var at = Array.IndexOf(arguments, "--count");
        if (at >= 0 && (at + 1 == arguments.Length || !int.TryParse(arguments[at + 1], out count) || count < 1))
        {
            Console.Error.WriteLine("--count takes a number from 1 on");
            return 2;
        }

        using var node = Start();
        try
        {
            var port = int.Parse(await ReadAsync(node), CultureInfo.InvariantCulture);
            using var load = new PathLoad(port);
            foreach (var path in load.All)
            {
                await path.PrepareAsync(WarmUpCount);
                await path.RunAsync(WarmUpCount);
                await path.FinishAsync();
                await path.PrepareAsync(count);
                var before = await TotalAsync(node);
                var done = await path.RunAsync(count);
                var bytes = await TotalAsync(node) - before;
                await path.FinishAsync();
                Console.WriteLine($"{path.Name,-44} {(double)bytes / done,8:F0} bytes a message");
                if (withTypes)
                {
                    await path.PrepareAsync(count);
                    await ShowTypesAsync(node, () => path.RunAsync(count));
                    await path.FinishAsync();
                }
            }
        }
        finally
        {
            node.StandardInput.Close();
            await node.WaitForExitAsync();
        }

        return 0;
    }

    private static Process Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add(PathNode.Command);
        return Process.Start(start)!;
    }

    private static async Task<string> ReadAsync(Process node) =>
        await node.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the node ended");

    private static async Task<long> TotalAsync(Process node)
    {
        await node.StandardInput.WriteLineAsync(PathNode.Total);
        return long.Parse(await ReadAsync(node), CultureInfo.InvariantCulture);
    }

    private static async Task ShowTypesAsync(Process node, Func<Task<int>> run)
    {
        await TypesAsync(node);
        await run();
        foreach (var line in await TypesAsync(node))
        {
            Console.WriteLine($"    {line}");
        }
    }

    private static async Task<List<string>> TypesAsync(Process node)
    {
        await node.StandardInput.WriteLineAsync(PathNode.Types);
        var lines = new List<string>();
        while (await ReadAsync(node) is { Length: > 0 } line)
        {
            lines.Add(line);
        }

        return lines;
    }
}
