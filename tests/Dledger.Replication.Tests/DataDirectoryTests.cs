using Dledger.Primitives;
using Dledger.Replication.Bootstrapping;
using Dledger.Replication.Tests.Clusters;
using Dledger.Testing.Disks;

namespace Dledger.Replication.Tests;

public sealed class DataDirectoryTests
{
    [Fact]
    public async Task A_directory_in_use_is_refused()
    {
        await using var cluster = TestCluster.Started(1);
        await cluster.WaitForLeaderAsync();
        var second = new TestNode(new NodeId(1), cluster.Nodes[0].Options.Members, cluster.Nodes[0].Directory);

        var fault = Assert.Throws<DataDirectoryException>(second.Start);

        Assert.Contains("in use", fault.Message, StringComparison.Ordinal);
        await cluster.ProposeAsync("the first one goes on");
    }

    [Theory]
    [InlineData("")]
    [InlineData("group-1")]
    [InlineData("groups/1")]
    public void A_directory_keeps_its_names_when_the_power_goes_after_the_start(string directory)
    {
        for (var seed = 1; seed <= 10; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var self = new ClusterMember(new NodeId(1), "", 0);
            var options = new ReplicationOptions { Self = self.Node, Members = [self], Directory = directory };
            disk.CreateDirectory(directory);
            using var storage = NodeStorage.Open(disk, options, new IdGenerator((ulong)seed));

            disk.LosePower();

            using var again = NodeStorage.Open(disk, options, new IdGenerator(99));
            Assert.Equal(storage.Meta.Current.StorageId, again.Meta.Current.StorageId);
        }
    }

    [Fact]
    public async Task A_directory_of_another_node_is_refused()
    {
        await using var cluster = TestCluster.Started(1);
        await cluster.WaitForLeaderAsync();
        await cluster.Nodes[0].DropAsync();
        var members = new[] { new ClusterMember(new NodeId(2), "127.0.0.1", 1) };
        var other = new TestNode(new NodeId(2), members, cluster.Nodes[0].Directory);

        var fault = Assert.Throws<DataDirectoryException>(other.Start);

        Assert.Contains("belongs to node 1", fault.Message, StringComparison.Ordinal);
        cluster.Nodes[0].Start();
        await cluster.ProposeAsync("the owner still can");
    }

    [Fact]
    public async Task A_node_of_another_cluster_gets_no_connection()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        await cluster.Nodes[2].DropAsync();
        await using var foreign = new TestCluster(3);
        var members = cluster.Nodes[0].Options.Members;

        // The same addresses, but a directory that belongs to another cluster of the same node ids.
        foreach (var node in foreign.Nodes)
        {
            node.Start();
        }

        await foreign.ProposeAsync("elsewhere");
        await foreign.Nodes[2].DropAsync();
        var stray = new TestNode(new NodeId(3), members, foreign.Nodes[2].Directory);
        stray.Start();

        await Eventually.TrueAsync(
            () => stray.Log.Lines.Any(line => line.Contains("belongs to cluster", StringComparison.Ordinal)),
            "the connection is refused with the reason");
        await cluster.ProposeAsync("after");
        Assert.DoesNotContain(stray.Machine.Messages, message => message.Body == "after");
        await stray.DropAsync();
    }

    [Fact]
    public async Task A_bootstrap_that_lost_a_node_in_its_middle_finishes_when_the_node_comes_back()
    {
        await using var cluster = new TestCluster(3);
        cluster.Nodes[1].Start();
        cluster.Nodes[2].Start();
        Assert.Contains("no cluster yet", await WaitForReasonAsync(cluster.Nodes[1]), StringComparison.Ordinal);

        cluster.Nodes[0].Start();
        await Eventually.TrueAsync(
            () => cluster.Nodes[0].Running.ClusterId != Guid.Empty, "the founder has founded", cluster.Describe);
        await cluster.Nodes[0].DropAsync();
        cluster.Nodes[0].Start();

        var position = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(position);
        Assert.Single(cluster.Nodes.Select(node => node.Running.ClusterId).Distinct());
    }

    private static async Task<string> WaitForReasonAsync(TestNode node)
    {
        await Eventually.TrueAsync(
            () => node.Running.Status.UnavailableReason?.StartsWith("no cluster", StringComparison.Ordinal) == true,
            "the node says what it waits for");
        return node.Running.Status.UnavailableReason!;
    }
}
