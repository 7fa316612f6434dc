using BenchmarkDotNet.Running;
using Dledger.MicroBenchmarks.Paths;

namespace Dledger.MicroBenchmarks;

/// <summary>Benchmarks of single parts, and what whole calls allocate on a node. Run by <c>make bench-micro</c> and
/// <c>make garbage</c>.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["garbage", .. var rest]:
                return await PathReport.RunAsync(rest);
            case [PathNode.Command]:
                return await PathNode.RunAsync();
            default:
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
                return 0;
        }
    }
}
