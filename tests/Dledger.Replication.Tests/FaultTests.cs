using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;

namespace Dledger.Replication.Tests;

public sealed class FaultTests
{
    [Fact]
    public async Task A_failed_sync_ends_the_service_of_a_node_and_nothing_is_acknowledged_after_it()
    {
        await using var cluster = new TestCluster(1);
        var node = cluster.Nodes[0];
        TrippingDisk? disk = null;
        node.WrapDisk = inner => disk = new TrippingDisk(inner);
        node.Start();
        await cluster.ProposeAsync("before");
        var running = node.Running;

        disk!.FailingSyncs = "log/";
        var outcome = await TestCluster.TryProposeAsync(node, "lost");

        Assert.Equal(ProposalFailureKind.OutcomeUnknown, outcome.Failure!.Value.Kind);
        var exit = await running.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(exit.IsFault);
        Assert.Contains("fdatasync", exit.Reason, StringComparison.Ordinal);
        Assert.False(running.TryPropose(new TestProposal(new byte[8]), out var failure));
        Assert.Equal(ProposalFailureKind.Unavailable, failure.Kind);
        Assert.DoesNotContain(node.Machine.Messages, message => message.Body == "lost");
    }

    [Fact]
    public async Task A_cluster_survives_the_failed_disk_of_its_leader()
    {
        await using var cluster = new TestCluster(3);
        var disks = new Dictionary<NodeId, TrippingDisk>();
        foreach (var node in cluster.Nodes)
        {
            node.WrapDisk = inner => disks[node.Self] = new TrippingDisk(inner);
            node.Start();
        }

        var acked = await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var failed = leader.Running;
        disks[leader.Self].FailingSyncs = "log/";
        await TestCluster.TryProposeAsync(leader, "perhaps");

        Assert.True((await failed.Completion.WaitAsync(TimeSpan.FromSeconds(30))).IsFault);
        await leader.DropAsync();
        leader.Start();
        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        Assert.Contains((acked, "before"), leader.Machine.Messages);
    }

    [Fact]
    public async Task A_state_machine_that_cannot_apply_a_frame_ends_the_node()
    {
        await using var cluster = TestCluster.Started(1);
        var node = await cluster.WaitForLeaderAsync();
        var running = node.Running;
        node.Machine.ApplyFault = new InvalidOperationException("cannot apply this");

        var outcome = await TestCluster.TryProposeAsync(node, "poison");

        Assert.Equal(ProposalFailureKind.OutcomeUnknown, outcome.Failure!.Value.Kind);
        var exit = await running.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(exit.IsFault);
        Assert.Contains("cannot apply this", exit.Reason, StringComparison.Ordinal);
        Assert.Equal(0, node.Machine.StopCount);
    }
}
