using Dledger.Replication.Tests.Clusters;
using Dledger.Storage.Disks;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Tests;

/// <summary>Section 2.22: a node that acknowledges before it syncs knows when the machine may have lost something.</summary>
public sealed class LossTests
{
    private static readonly Guid FirstBoot = new("11111111-0000-4000-8000-000000000001");

    private static readonly Guid SecondBoot = new("22222222-0000-4000-8000-000000000002");

    [Fact]
    public async Task A_node_whose_machine_booted_since_is_flagged_before_it_answers_and_heals()
    {
        await using var cluster = await StartedAsync(FlushMode.QuorumAsync);
        var leader = await cluster.WaitForLeaderAsync();
        var rebooted = cluster.Nodes.First(node => node != leader);
        await KillAsync(rebooted);
        await cluster.ProposeAsync("meanwhile");

        rebooted.Options = rebooted.Options with { MachineBootId = SecondBoot };
        rebooted.Start();

        Assert.Contains(rebooted.Log.Lines, line => line.Contains("MayHaveLost", StringComparison.Ordinal));
        var last = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(last);
        await Eventually.TrueAsync(() => !rebooted.Running.Status.HasLoss, "the node is whole again", cluster.Describe);
        await rebooted.StopAsync();
        Assert.False(MetaOf(rebooted).LossFlag);
    }

    [Fact]
    public async Task After_a_power_loss_of_all_machines_the_votes_of_all_are_needed()
    {
        await using var cluster = await StartedAsync(FlushMode.QuorumAsync);
        await Task.WhenAll(cluster.Nodes.Select(KillAsync));
        foreach (var node in cluster.Nodes)
        {
            node.Options = node.Options with { MachineBootId = SecondBoot };
        }

        cluster.Nodes[0].Start();
        cluster.Nodes[1].Start();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(4));
        await timer.WaitForNextTickAsync();
        Assert.Null(cluster.FindLeader());
        Assert.All(cluster.RunningNodes, node => Assert.True(node.Running.Status.HasLoss));

        cluster.Nodes[2].Start();
        var last = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(last);
        Assert.All(cluster.Nodes, node => Assert.Contains(node.Machine.Messages, message => message.Body == "before"));
    }

    [Fact]
    public async Task The_same_boot_an_orderly_stop_or_synced_writes_set_no_flag()
    {
        await using var relaxed = await StartedAsync(FlushMode.QuorumAsync);
        await using var synced = await StartedAsync(FlushMode.QuorumSync);
        await KillAsync(relaxed.Nodes[0]);
        await relaxed.Nodes[1].StopAsync();
        await KillAsync(synced.Nodes[0]);

        relaxed.Nodes[0].Start();
        relaxed.Nodes[1].Options = relaxed.Nodes[1].Options with { MachineBootId = SecondBoot };
        relaxed.Nodes[1].Start();
        synced.Nodes[0].Options = synced.Nodes[0].Options with { MachineBootId = SecondBoot };
        synced.Nodes[0].Start();

        foreach (var node in new[] { relaxed.Nodes[0], relaxed.Nodes[1], synced.Nodes[0] })
        {
            Assert.DoesNotContain(node.Log.Lines, line => line.Contains("MayHaveLost", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_change_to_synced_writes_does_not_hide_what_an_earlier_start_may_have_lost()
    {
        await using var cluster = await StartedAsync(FlushMode.QuorumAsync);
        var node = cluster.Nodes[0];
        await KillAsync(node);

        node.Options = node.Options with { FlushMode = FlushMode.QuorumSync, MachineBootId = SecondBoot };
        node.Start();

        Assert.Contains(node.Log.Lines, line => line.Contains("MayHaveLost", StringComparison.Ordinal));
    }

    private static async Task<TestCluster> StartedAsync(FlushMode mode)
    {
        var cluster = new TestCluster(3);
        foreach (var node in cluster.Nodes)
        {
            node.Options = node.Options with { FlushMode = mode, MachineBootId = FirstBoot };
            node.Start();
        }

        var position = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(position);
        return cluster;
    }

    /// <summary>Ends a node and takes back that it ended in order.</summary>
    private static async Task KillAsync(TestNode node)
    {
        await node.DropAsync();
        using var meta = MetaFile.Open(new PosixDisk(node.Directory), "meta")!;
        meta.Write(meta.Current with { CleanStop = null });
    }

    private static NodeMetadata MetaOf(TestNode node) => MetaFile.ReadOnly(new PosixDisk(node.Directory), "meta")!;
}
