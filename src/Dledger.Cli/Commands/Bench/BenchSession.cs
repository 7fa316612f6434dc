using System.Globalization;
using Dledger.Bench.Clusters;
using Dledger.Bench.Machines;
using Dledger.Bench.Reports;
using Dledger.Bench.Running;
using Dledger.Bench.Targets;
using Dledger.Bench.Workloads;
using Dledger.Cli.Output;
using Dledger.Client.Administration;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Streaming;

namespace Dledger.Cli.Commands.Bench;

/// <summary>Runs a workload once for each set of options, and removes what it made, also when it is interrupted.</summary>
internal sealed class BenchSession(
    DledgerChannel channel, Terminal terminal, IBenchWorkload workload, BenchNames names, string commandLine)
{
    private static readonly TimeSpan CleanUpTimeMax = TimeSpan.FromSeconds(30);

    public required IReadOnlyList<WorkloadOptions> Runs { get; init; }

    public BenchApi Api { get; init; }

    /// <summary>Of batches over streams.</summary>
    public BatchCompression Compression { get; init; }

    /// <summary>Topics and groups stay.</summary>
    public bool Keeps { get; init; }

    /// <summary>Topics and groups that exist may be used.</summary>
    public bool Reuses { get; init; }

    /// <summary>Named by the user; empty: those of the nodes that run here.</summary>
    public IReadOnlyList<string> EvictedFolders { get; init; } = [];

    /// <returns>What was measured; an interrupted run is the last one of it.</returns>
    public async Task<BenchReport> RunAsync(CancellationToken cancellationToken)
    {
        var cluster = await new AdminClient(channel).DescribeClusterAsync(cancellationToken);
        var machine = MachineDescription.Read(TimeProvider.System);
        var nodes = LocalNodes.Find(cluster);
        using var clock = new PacingClock();
        var run = new BenchRun(clock);
        var results = new List<RunResult>();
        await using (LiveProgress.Start(terminal, run))
        {
            foreach (var options in Runs)
            {
                results.Add(await RunAsync(run, options, cluster, nodes, cancellationToken));
                if (results[^1].IsInterrupted)
                {
                    break;
                }
            }
        }

        return new BenchReport(workload.Name, commandLine, machine, ClusterSummary.Of(cluster), results);
    }

    private async Task<RunResult> RunAsync(
        BenchRun run, WorkloadOptions options, ClusterDescription cluster, IReadOnlyList<int> nodes, CancellationToken cancellationToken)
    {
        var resources = new BenchResources(channel, names, Reuses);
        await using var target = Open(ClusterPromise.Of(cluster), resources, options.ReceiveCount);
        await using var workloadRun = new WorkloadRun(run, target, options, nodes) { MakeCold = () => MakeCold(nodes) };
        try
        {
            await workload.RunAsync(workloadRun, cancellationToken);
            return RunResult.Of(workloadRun, isInterrupted: false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return RunResult.Of(workloadRun, isInterrupted: true);
        }
        catch (BenchNameTakenException taken)
        {
            throw new UsageException(taken.Message, "Leave --name away, or add --reuse to measure with what is there.");
        }
        catch (BenchPreparationException failed)
        {
            throw new UsageException(failed.Message);
        }
        finally
        {
            if (!Keeps)
            {
                await CleanUpAsync(target);
            }
        }
    }

    private IBenchTarget Open(AckPromise ack, BenchResources resources, int receiveCount)
    {
        IBenchTarget target = Api == BenchApi.Stream
            ? new StreamTarget(channel, ack, resources, receiveCount, Compression)
            : new UnaryTarget(channel, ack, resources);
        return (workload.Needs & ~target.Abilities) == BenchAbilities.None
            ? target
            : throw new UsageException(
                $"'{workload.Name}' needs what '{target.Name}' does not offer: {workload.Needs & ~target.Abilities}.", "Try another --api.");
    }

    private async Task CleanUpAsync(IBenchTarget target)
    {
        // Not that of the run: an interrupted one cleans up as well.
        using var timeout = new CancellationTokenSource(CleanUpTimeMax);
        try
        {
            await target.DestroyAsync(timeout.Token);
        }
        catch (Exception exception) when (exception is DledgerException or OperationCanceledException)
        {
            terminal.Fault($"Topics and groups that begin with {names.Prefix} could not be deleted: {exception.Message}");
        }
    }

    private string MakeCold(IReadOnlyList<int> nodes)
    {
        if (!PageCache.IsSupported || (EvictedFolders.Count == 0 && nodes.Count == 0))
        {
            return "The backlog was not taken out of any page cache: no node runs here, and --evict names no directory.";
        }

        var bytes = EvictedFolders.Count > 0
            ? PageCache.Evict(EvictedFolders, isRecursive: true)
            : PageCache.Evict(nodes.SelectMany(NodeProcesses.WrittenFolders), isRecursive: false);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{bytes / (double)(1 << 20):0} MiB of the nodes' files were synced and taken out of the page cache before the reading.");
    }
}
