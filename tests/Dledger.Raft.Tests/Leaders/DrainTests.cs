using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Leaders;

/// <summary>An operator keeps leadership away from a node; no part of the paper, see DIVERGENCE.md.</summary>
public sealed class DrainTests
{
    [Fact]
    public void A_drained_leader_hands_over_at_once()
    {
        var cluster = Led(3);

        Drain(cluster, 1);
        cluster.Settle();

        Assert.Equal(RaftRole.Follower, cluster.Core(1).Role);
        Assert.Contains(cluster.Nodes, node => node.Core!.Role == RaftRole.Leader);
    }

    [Fact]
    public void A_drained_follower_lets_the_others_lead_after_the_leaders_death()
    {
        for (var round = 0; round < 20; round++)
        {
            var cluster = Led(3);
            cluster.Sleep(round * 1_000);
            Drain(cluster, 2);

            cluster.Kill(1, isSilent: round % 2 == 0);
            cluster.Run(3_000_000);

            Assert.Equal(RaftRole.Leader, cluster.Core(3).Role);
        }
    }

    [Fact]
    public void A_drained_node_leads_when_nobody_else_can_and_hands_over_when_somebody_can_again()
    {
        var cluster = Led(3);
        cluster.Partition([3], [1, 2]);
        cluster.Propose(1);
        cluster.Settle();
        Drain(cluster, 2);

        // Node 3 lacks a committed frame, so only node 2 can lead; then it has it.
        cluster.Kill(1);
        cluster.Heal();
        cluster.Run(20_000_000);

        Assert.Contains(cluster.Effects, noted => noted is { Node.Value: 2, Effect: Effects.RoleChanged { Role: RaftRole.Leader } });
        Assert.Equal(RaftRole.Leader, cluster.Core(3).Role);
        Assert.Equal(cluster.Core(2).End, cluster.Core(3).End);
    }

    [Fact]
    public void A_node_that_is_drained_no_more_campaigns_like_any_other()
    {
        var cluster = Led(3);
        Drain(cluster, 2);
        var patient = cluster.Core(2).NextDeadline;

        cluster[2].Call((core, now) => core.Drain(now, isDrained: false));

        Assert.True(cluster.Core(2).NextDeadline < patient - 1_000_000, $"{cluster.Core(2).NextDeadline}, was {patient}");
        Assert.False(cluster.Core(2).IsDrained);
    }

    [Fact]
    public void A_drained_single_voter_goes_on()
    {
        var cluster = Led(1);

        Drain(cluster, 1);
        cluster.Run(5_000_000);

        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
        Assert.True(cluster.Core(1).CanPropose);
    }

    private static void Drain(TestCluster cluster, int number) =>
        cluster[number].Call((core, now) => core.Drain(now, isDrained: true));

    private static TestCluster Led(int nodeCount)
    {
        var cluster = new TestCluster(nodeCount).Boot();
        cluster.Elect(1);
        cluster.Settle();
        return cluster;
    }
}
