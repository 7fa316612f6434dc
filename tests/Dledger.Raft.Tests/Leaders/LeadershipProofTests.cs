using Dledger.Raft.Effects;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Leaders;

/// <summary>The read index of thesis 6.4: whoever reads knows that this node led after the question.</summary>
public sealed class LeadershipProofTests
{
    private long _request;

    [Fact]
    public void A_leader_proves_its_leadership_with_the_answer_of_a_majority()
    {
        var cluster = Led(3);

        Assert.True(Ask(cluster, 1));
        Assert.Empty(Proofs(cluster));
        cluster.Deliver(1, 2);
        cluster.Deliver(2, 1);

        Assert.Equal([1], Proofs(cluster));
    }

    [Fact]
    public void Answers_to_what_was_sent_before_the_question_prove_nothing()
    {
        var cluster = Led(3);
        cluster.Propose(1);
        cluster.Deliver(1, 2);
        cluster.Deliver(1, 3);

        // Both answers are on their way when the question comes; the round of the question itself gets lost.
        Ask(cluster, 1);
        cluster.Drop(1, 2);
        cluster.Drop(1, 3);
        cluster.DeliverAll();

        Assert.Empty(Proofs(cluster));
        cluster.Run(200_000);
        Assert.Equal([1], Proofs(cluster));
    }

    [Fact]
    public void A_leader_that_was_replaced_while_it_slept_proves_nothing_and_steps_down()
    {
        var cluster = Led(3);
        cluster.Partition([1], [2, 3]);
        cluster.Elect(2);
        cluster.Propose(2);
        cluster.Settle();
        cluster.Heal();

        Assert.True(Ask(cluster, 1));
        cluster.Settle();

        Assert.Empty(Proofs(cluster));
        Assert.Equal(RaftRole.Follower, cluster.Core(1).Role);
    }

    [Fact]
    public void Questions_during_a_round_share_the_next_one()
    {
        var cluster = Led(3);
        cluster.Sent.Clear();

        for (var i = 0; i < 100; i++)
        {
            Ask(cluster, 1);
        }

        cluster.DeliverAll();

        Assert.Equal([1, 100], Proofs(cluster));
        Assert.Equal(4, cluster.Sent.Count(sent => sent.From.Value == 1));
    }

    [Fact]
    public void A_node_that_is_alone_has_its_proof_at_once()
    {
        var cluster = Led(1);

        Ask(cluster, 1);

        Assert.Equal([1], Proofs(cluster));
    }

    [Fact]
    public void A_follower_is_asked_in_vain()
    {
        var cluster = Led(3);

        Assert.False(Ask(cluster, 2));
        cluster.Settle();

        Assert.Empty(Proofs(cluster));
    }

    private static IEnumerable<long> Proofs(TestCluster cluster) =>
        cluster.Effects.Select(noted => noted.Effect).OfType<LeadershipConfirmed>().Select(proof => proof.Request);

    private bool Ask(TestCluster cluster, int number)
    {
        var isLeader = false;
        cluster[number].Call((core, now) => isLeader = core.ConfirmLeadership(now, ++_request));
        return isLeader;
    }

    private static TestCluster Led(int nodeCount)
    {
        var cluster = new TestCluster(nodeCount).Boot();
        cluster.Elect(1);
        cluster.Settle();
        return cluster;
    }
}
