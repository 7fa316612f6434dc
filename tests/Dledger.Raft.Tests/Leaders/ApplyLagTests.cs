using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Leaders;

/// <summary>A leader serves once it has applied everything; no part of the paper, see DIVERGENCE.md.</summary>
public sealed class ApplyLagTests
{
    // Both ways round: the nodes' own random delays favour one of the two.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void A_node_that_could_not_serve_yet_leaves_the_succession_to_one_that_can(int ready)
    {
        var cluster = Led();
        Apply(cluster, ready);

        cluster.Kill(1);
        cluster.Run(300_000);

        Assert.Equal(RaftRole.Leader, cluster.Core(ready).Role);
    }

    [Fact]
    public void It_leads_all_the_same_when_nobody_else_can()
    {
        var cluster = Led();

        cluster.Kill(1);
        cluster.Run(3_000_000);

        Assert.Contains(cluster.Nodes, node => node.Core?.Role == RaftRole.Leader);
    }

    [Fact]
    public void Leadership_is_handed_to_a_node_that_can_serve()
    {
        var cluster = Led();
        Apply(cluster, 3);
        cluster.Run(200_000);

        cluster[1].Call((core, now) => core.TransferLeadership(now, null));
        cluster.Settle();

        Assert.Equal(RaftRole.Leader, cluster.Core(3).Role);
    }

    [Fact]
    public void Nobody_is_told_to_lead_while_nobody_could_serve()
    {
        var cluster = Led();

        cluster[1].Call((core, now) => core.TransferLeadership(now, null));
        cluster.Settle();

        Assert.Contains(cluster.Effects, noted => noted.Effect is TransferFinished { IsSuccess: false });
        Assert.True(cluster.Core(1).CanPropose);
    }

    [Fact]
    public void A_leader_goes_on_serving_until_the_node_that_was_named_has_caught_up()
    {
        var cluster = Led();

        cluster[1].Call((core, now) => core.TransferLeadership(now, new NodeId(2)));
        cluster.Run(1_000_000);
        Assert.True(cluster.Core(1).CanPropose);
        Apply(cluster, 2);
        cluster.Run(200_000);

        Assert.Equal(RaftRole.Leader, cluster.Core(2).Role);
    }

    [Fact]
    public void A_leader_does_not_wait_for_ever_for_the_node_that_was_named()
    {
        var cluster = Led();

        cluster[1].Call((core, now) => core.TransferLeadership(now, new NodeId(2)));
        cluster.Run(6_000_000);

        Assert.Contains(cluster.Effects, noted => noted.Effect is TransferFinished { IsSuccess: false });
        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
    }

    private static void Apply(TestCluster cluster, int number) =>
        cluster[number].Call((core, _) => core.Applied(core.End));

    private static TestCluster Led()
    {
        var cluster = new TestCluster(3, options => options with { ApplyLagMax = 1_000 }).Boot();
        cluster.Elect(1);
        cluster.Propose(1, count: 10);
        cluster.Settle();
        return cluster;
    }
}
