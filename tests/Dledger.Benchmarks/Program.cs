using System.Globalization;
using Dledger.Bench.Machines;
using Dledger.Benchmarks;
using Dledger.Benchmarks.Comparisons;
using Dledger.Benchmarks.Servers;
using Dledger.Chaos.Machines;
using Grpc.Core;

// Unary SendMessage against fresh clusters of one and of three nodes on loopback; clients and nodes share the machine.
// Usage: dledger-benchmarks EXECUTABLE [seconds] [body bytes] [flush mode], or dledger-benchmarks peers ... for the comparison.
if (args is ["peers", .. var comparison])
{
    return await PeersCommand.RunAsync(comparison, Console.Out, Console.Error);
}

if (args.Length == 0 || !File.Exists(args[0]))
{
    Console.Error.WriteLine("Name the built dledger executable, for example src/Dledger.Cli/bin/Release/net10.0/dledger");
    return 2;
}

var executable = Path.GetFullPath(args[0]);
var duration = TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10);
var bodyBytes = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1024;
var flushMode = args.Length > 3 ? args[3] : "QUORUM_SYNC";

Console.WriteLine($"unary SendMessage, {bodyBytes} B bodies, {flushMode}, {duration.TotalSeconds:0} s a row, " +
                  $"{Environment.ProcessorCount} cores shared by client and nodes, {Environment.Version}");
Console.WriteLine("'disk' is one write and one fdatasync of such a frame alone, just before the row; 'stolen' is CPU that the host took away.");
Console.WriteLine("nodes  in flight     msg/s    p50 ms    p99 ms   failed   disk p50   disk p99   others' cores   stolen cores");

await using var undertaker = Undertaker.Start("dledger-bench-");
foreach (var nodeCount in new[] { 1, 3 })
{
    await using var cluster = DledgerCluster.Start(executable, nodeCount, flushMode, undertaker);
    var workload = new UnaryProduce(cluster.Addresses[0], bodyBytes);
    await WarmUpAsync(workload);
    foreach (var inFlight in new[] { 1, 16, 64 })
    {
        var disk = BareDisk.Measure(frameBytes: bodyBytes + 256);
        var neighbours = NeighbourLoad.Start(cluster.Nodes.Select(node => node.Id));
        var result = await workload.RunAsync(inFlight, duration, CancellationToken.None);
        var (others, stolen) = neighbours.Cores();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{nodeCount,5}  {result.InFlight,9}  {result.MessagesPerSecond,8:0}  {result.P50Milliseconds,8:0.00}  " +
            $"{result.P99Milliseconds,8:0.00}  {result.Failed,7}  " +
            $"{LatencyRecorder.Percentile(disk, 0.5),9:0.00}  {LatencyRecorder.Percentile(disk, 0.99),9:0.00}  " +
            $"{others,14:0.00}  {stolen,13:0.00}"));
    }
}

return 0;

// Until the nodes answer, then five seconds so that optimised code has replaced the first tier.
static async Task WarmUpAsync(UnaryProduce workload)
{
    var giveUp = DateTime.UtcNow + TimeSpan.FromSeconds(60);
    using var retry = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
    while (true)
    {
        try
        {
            await workload.RunAsync(16, TimeSpan.FromSeconds(5), CancellationToken.None);
            return;
        }
        catch (RpcException) when (DateTime.UtcNow < giveUp)
        {
            await retry.WaitForNextTickAsync();
        }
    }
}
