using System.Collections.Concurrent;
using System.Text;
using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Testing.Disks;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests;

/// <summary>Machines that stop at a random disk call and lose a random part of what was not synced.</summary>
public sealed class PowerLossTests(ITestOutputHelper output)
{
    private static readonly CommitLogOptions SmallLog = new()
    {
        SegmentBytes = 128 << 10,
        SpareCount = 1,
        FrameBytesMax = 16 << 10,
        UnsyncedBytesMax = 64 << 10,
        CheckpointBytes = 64 << 10,
    };

    [Theory]
    [InlineData(1, 25)]
    [InlineData(3, 8)]
    public async Task Everything_acknowledged_survives_power_losses_of_all_nodes_at_random_moments(
        int nodeCount, int rounds)
    {
        var seed = (int)(TimeProvider.System.GetUtcNow().Ticks % int.MaxValue);
        output.WriteLine($"seed {seed} (threads run freely, so a seed repeats the faults but not the schedule)");
        var random = new Random(seed);
        await using var cluster = new TestCluster(nodeCount);
        var disks = cluster.Nodes.Select(_ => new SimulatedDisk(random.Next())).ToList();
        for (var i = 0; i < nodeCount; i++)
        {
            var disk = disks[i];
            cluster.Nodes[i].WrapDisk = _ => new CrashingDisk(disk);
            cluster.Nodes[i].Options = cluster.Nodes[i].Options with { Log = SmallLog, FrameBytesTarget = 8 << 10 };
        }

        var acked = new ConcurrentBag<(LogPosition, string)>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var disk in disks)
            {
                disk.CrashAtOperation = disk.OperationCount + random.Next(1, 300);
            }

            await RunUntilAllCrashedAsync(cluster, round, acked);
            foreach (var disk in disks)
            {
                disk.CrashAtOperation = null;
                disk.LosePower((SectorLoss)random.Next(Enum.GetValues<SectorLoss>().Length));
            }
        }

        foreach (var node in cluster.Nodes)
        {
            node.Start();
        }

        var last = await cluster.ProposeAsync("last");
        await cluster.WaitUntilEqualAsync(last);
        output.WriteLine($"{acked.Count} acknowledged");
        foreach (var node in cluster.Nodes)
        {
            Assert.Null(node.Running.Status.UnavailableReason);
            Assert.Superset(acked.ToHashSet(), node.Machine.Messages.ToHashSet());
        }
    }

    private static async Task RunUntilAllCrashedAsync(
        TestCluster cluster, int round, ConcurrentBag<(LogPosition, string)> acked)
    {
        foreach (var node in cluster.Nodes)
        {
            TryStart(node);
        }

        using var end = new CancellationTokenSource();
        var producers = Enumerable.Range(0, 3).Select(id => ProduceAsync(cluster, $"{round}/{id}", acked, end.Token));
        var all = Task.WhenAll(producers);

        // In a cluster the survivors may have nothing to write any more: they are cut off as well.
        await Eventually.TrueAsync(
            () => cluster.Nodes.Count(HasStopped) > cluster.Nodes.Count / 2 || IsFoundingInterrupted(cluster),
            "most machines have stopped",
            cluster.Describe);
        await end.CancelAsync();
        foreach (var node in cluster.Nodes)
        {
            await node.DropAsync();
        }

        await all;
    }

    private static bool HasStopped(TestNode node) => node.Node is null || node.HasFaulted;

    // A machine that stops before the others were told of the cluster leaves them waiting for it, without a disk call to
    // stop at.
    private static bool IsFoundingInterrupted(TestCluster cluster) =>
        cluster.Nodes.Any(HasStopped)
        && cluster.Nodes.All(node => HasStopped(node) || node.Running.Status.Role == ReplicationRole.Passive);

    // The machine may stop while the node opens its directory.
    private static void TryStart(TestNode node)
    {
        try
        {
            node.Start();
        }
        catch (StorageFaultException)
        {
            Assert.Null(node.Node);
        }
    }

    private static async Task ProduceAsync(
        TestCluster cluster, string name, ConcurrentBag<(LogPosition, string)> acked, CancellationToken end)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            var body = $"{name}/{i}:{new string('x', i % 7 * 100)}";
            var proposal = new TestProposal(Encoding.UTF8.GetBytes(body));
            var leader = cluster.Nodes.Select(node => node.Node).FirstOrDefault(node => node?.Status.IsServing == true);
            if (leader?.TryPropose(proposal, out _) == true)
            {
                var outcome = await proposal.Outcome.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
                if (outcome.Position is { } position)
                {
                    acked.Add((position, body));
                }
            }
            else
            {
                await pause.WaitForNextTickAsync(CancellationToken.None);
            }
        }
    }
}
