using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Quorums;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Papers;

/// <summary>Claims of Raft section 6 and of chapters 3.10 and 4 of the thesis on changes of the members, one test each.</summary>
public sealed class MembershipTests
{
    // 6: "a server always uses the latest configuration in its log, regardless of whether the entry is committed".
    [Fact]
    public void Section_6_A_configuration_is_in_force_as_soon_as_it_is_appended()
    {
        var cluster = Led(3);
        cluster.Partition([1], [2, 3]);

        Change(cluster, ConfigurationChange.RemoveMember(cluster[3].Member));

        Assert.True(cluster.Core(1).Configuration.IsJoint);
        Assert.False(cluster[1].Configuration!.IsCommitted);
    }

    // 4.1: a removed entry takes its configuration with it; the server falls back to the one before.
    [Fact]
    public void Thesis_4_1_A_truncated_configuration_is_taken_back()
    {
        var cluster = Led(3);
        cluster.Partition([1], [2, 3]);
        Change(cluster, ConfigurationChange.RemoveMember(cluster[3].Member));
        cluster.Elect(2);
        cluster.Settle();

        cluster.Heal();
        cluster.Settle();

        Assert.Equal(cluster.Founders, cluster.Core(1).Configuration);
        Assert.Equal(ConfigurationChangeOutcome.Unknown, Assert.Single(Outcomes(cluster)).Outcome);
    }

    // 4.1: the next change may begin only when the one before is committed.
    [Fact]
    public void Thesis_4_1_A_second_change_is_refused_until_the_first_is_committed()
    {
        var cluster = Led(4, founderCount: 3);
        Change(cluster, ConfigurationChange.AddLearner(cluster[4].Member));

        Change(cluster, ConfigurationChange.RemoveMember(cluster[3].Member));
        cluster.Settle();
        Change(cluster, ConfigurationChange.RemoveMember(cluster[3].Member));
        cluster.Settle();

        Assert.Equal(
            [ConfigurationChangeOutcome.Refused, ConfigurationChangeOutcome.Done, ConfigurationChangeOutcome.Done],
            Outcomes(cluster).Select(finished => finished.Outcome));
    }

    // The correction of 2015 to 4.1: a leader first commits an entry of its own term, then it may change the members.
    [Fact]
    public void The_correction_to_4_1_A_new_leader_changes_nothing_before_it_committed_in_its_term()
    {
        var cluster = Led(3);
        cluster.Kill(1);
        cluster[3].HoldsSync = true;
        cluster.Elect(2);

        cluster[2].Call((core, now) => core.ChangeConfiguration(now, ConfigurationChange.RemoveMember(cluster[1].Member)));

        Assert.Equal(ConfigurationChangeOutcome.Refused, Assert.Single(Outcomes(cluster)).Outcome);
    }

    // 6: "Agreement (for elections and entry commitment) requires separate majorities from both the old and new configurations."
    [Fact]
    public void Section_6_A_joint_configuration_commits_with_both_majorities_only()
    {
        var cluster = Promoting();
        cluster.Partition([1, 2], [3, 4, 5]);
        StartPromotion(cluster);
        cluster.DeliverAll();
        var position = cluster.Core(1).Configurations[^1].Position;

        // Two of three old voters, but two of four new ones.
        Assert.False(cluster.Core(1).Commit > position);
        cluster.Heal();
        cluster.Settle();
        Assert.True(cluster.Core(1).Commit > position);
    }

    // 6, the same for elections.
    [Fact]
    public void Section_6_A_joint_configuration_elects_with_both_majorities_only()
    {
        var cluster = Promoting();
        cluster.Partition([1, 2], [3, 4, 5]);
        StartPromotion(cluster);
        cluster.DeliverAll();
        cluster.Kill(1);
        cluster.Partition([2], [3]);
        cluster.Heal();
        cluster.Partition([2], [3]);

        // Nodes 4 and 5 are not enough: of the old voters only node 2 itself agrees.
        cluster.Run(3_000_000);
        Assert.NotEqual(RaftRole.Leader, cluster.Core(2).Role);

        cluster.Heal();
        cluster.Run(3_000_000);
        Assert.Contains(cluster.Nodes, node => node.Core?.Role == RaftRole.Leader);
    }

    // 6: "new servers join the cluster as non-voting members (the leader replicates log entries to them, but they are not considered
    // for majorities)".
    [Fact]
    public void Section_6_A_learner_gets_everything_and_counts_for_nothing()
    {
        var cluster = Led(4, founderCount: 3);
        Change(cluster, ConfigurationChange.AddLearner(cluster[4].Member));
        cluster.Settle();
        cluster.Partition([1, 4], [2, 3]);
        var commit = cluster.Core(1).Commit;

        cluster.Propose(1);
        cluster.DeliverAll();

        Assert.Equal(cluster.Core(1).End, cluster.Core(4).End);
        Assert.Equal(commit, cluster.Core(1).Commit);
        Assert.Equal(long.MaxValue, cluster.Core(4).NextDeadline);
    }

    // 4.2.1: the leader waits until the new server is caught up before it lets it vote.
    [Fact]
    public void Thesis_4_2_1_A_learner_that_does_not_keep_up_is_not_promoted()
    {
        var cluster = Led(4, founderCount: 3);
        Change(cluster, ConfigurationChange.AddLearner(cluster[4].Member));
        cluster.Settle();
        cluster.Run(300_000);
        cluster.Block(1, 4);

        // It was close behind once; now it does not answer any more.
        cluster.Run(300_000);
        Change(cluster, ConfigurationChange.PromoteLearner(cluster[4].Member));

        Assert.Equal(ConfigurationChangeOutcome.Refused, Outcomes(cluster)[^1].Outcome);
    }

    // 6: "the leader steps down (returns to follower state) once it has committed the Cnew log entry"; until then "it replicates log
    // entries but does not count itself in majorities".
    [Fact]
    public void Section_6_A_leader_that_is_removed_does_not_count_itself_and_then_steps_down()
    {
        var cluster = Led(3);
        cluster[1].HoldsSync = true;
        Change(cluster, ConfigurationChange.RemoveMember(cluster[1].Member));
        cluster.DeliverAll();
        Assert.Equal(RaftRole.Follower, cluster.Core(1).Role);

        var other = Led(3);
        other[3].HoldsSync = true;
        Change(other, ConfigurationChange.RemoveMember(other[1].Member));
        other.DeliverAll();

        // Nodes 1 and 2 hold the final configuration, but of 2 and 3 that is no majority.
        Assert.Equal(RaftRole.Leader, other.Core(1).Role);
        Assert.False(other.Core(1).CommittedConfiguration.Configuration.Equals(other.Core(1).Configuration));
    }

    // 4.2.2: a server that its own latest configuration leaves out still starts elections, until that is committed.
    [Fact]
    public void Thesis_4_2_2_A_removed_voter_campaigns_while_its_removal_may_not_be_committed()
    {
        var cluster = new TestCluster(2).Boot();
        cluster.Elect(2);
        cluster.Settle();
        cluster[2].HoldsSync = true;
        cluster[2].Call((core, now) => core.ChangeConfiguration(now, ConfigurationChange.RemoveMember(cluster[2].Member)));
        cluster.DeliverAll();
        cluster.Block(2, 1);
        cluster[2].HoldsSync = false;
        cluster.DeliverAll();
        Assert.False(cluster.Core(2).IsVoter);

        cluster.Kill(2, isSilent: true);
        cluster.Restart(2);
        cluster.Heal();
        cluster.Run(3_000_000);

        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
        Assert.Equal([cluster[1].Member], cluster.Core(1).Configuration.Voters);
    }

    // 6: "removed servers (those not in Cnew) can disrupt the cluster" by their elections; here pre-vote keeps their terms down, and they are told.
    [Fact]
    public void Section_6_A_removed_node_that_missed_it_neither_raises_a_term_nor_goes_on_asking()
    {
        var cluster = Led(3);
        cluster.Partition([3], [1, 2]);
        Change(cluster, ConfigurationChange.RemoveMember(cluster[3].Member));
        cluster.Settle();
        var term = cluster.Core(1).Term;
        cluster.Heal();

        cluster.Run(3_000_000);
        cluster.Sent.Clear();
        cluster.Run(3_000_000);

        Assert.Equal(term, cluster.Core(1).Term);
        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
        Assert.DoesNotContain(cluster.Sent, sent => sent.From == new NodeId(3) && sent.Message is PreVoteRequest);
    }

    // 6: a leader that finds Cold,new in its log finishes the change.
    [Fact]
    public void Section_6_A_new_leader_finishes_the_joint_configuration_that_it_finds()
    {
        var cluster = Led(3);
        cluster.Block(2, 1);
        cluster.Block(3, 1);
        Change(cluster, ConfigurationChange.RemoveMember(cluster[1].Member));
        cluster.DeliverAll();
        Assert.True(cluster.Core(2).Configuration.IsJoint);
        cluster.Kill(1);

        cluster.Run(3_000_000);

        Assert.Equal(new Configuration([cluster[2].Member, cluster[3].Member]), cluster.Core(2).Configuration);
        Assert.Equal(cluster.Core(2).Configuration, cluster.Core(3).CommittedConfiguration.Configuration);
    }

    // 3.10 with 4: leadership goes to a member that can be elected.
    [Fact]
    public void Thesis_3_10_Nothing_is_handed_over_to_a_learner()
    {
        var cluster = Led(4, founderCount: 3);
        Change(cluster, ConfigurationChange.AddLearner(cluster[4].Member));
        cluster.Settle();
        cluster.Effects.Clear();

        cluster[1].Call((core, now) => core.TransferLeadership(now, new NodeId(4)));

        Assert.False(Assert.Single(cluster.Effects.Select(noted => noted.Effect).OfType<TransferFinished>()).IsSuccess);
        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
    }

    // Kafka, KIP-853: a voter is a node with one data directory. Design 2.19.
    [Fact]
    public void The_acks_and_votes_of_a_wiped_voter_do_not_count()
    {
        var cluster = Led(3);
        cluster.Kill(3);
        cluster[3].Wipe();
        cluster.Restart(3);
        cluster.Run(300_000);
        Assert.Equal(cluster.Core(1).End, cluster.Core(3).End);
        cluster.Kill(2);
        var commit = cluster.Core(1).Commit;

        cluster.Propose(1);
        cluster.DeliverAll();
        Assert.Equal(commit, cluster.Core(1).Commit);

        cluster.Kill(1);
        cluster.Restart(1);
        cluster.Run(5_000_000);
        Assert.NotEqual(RaftRole.Leader, cluster.Core(1).Role);
    }

    // Design 2.19: never for two voters at the same time.
    [Fact]
    public void Two_voters_do_not_get_new_storages_in_one_change()
    {
        var configuration = new Configuration([Of(1, 1), Of(2, 1), Of(3, 1)], [Of(2, 2), Of(3, 2)]);

        var isApplied = new ConfigurationChange { Promote = [Of(2, 2), Of(3, 2)] }.TryApply(configuration, out _, out var fault);

        Assert.False(isApplied);
        Assert.Contains("two voters", fault);
    }

    // Design 2.22.
    [Fact]
    public void A_loss_flag_falls_only_behind_a_commit_of_the_leaders_own_term()
    {
        var cluster = Led(3);
        cluster.Propose(1, 2);
        cluster.Settle();
        cluster.Kill(3);
        cluster[3].Lose(new LogPosition(TestCluster.FrameLength));
        cluster.Kill(1);
        cluster.Restart(1);
        cluster.Elect(2);
        var leader = cluster.Nodes.Single(node => node.Core?.Role == RaftRole.Leader).Id.Value;
        cluster.Settle();
        cluster[3].HoldsSync = true;
        cluster.Restart(3);

        // All frames came, none is synced.
        cluster.Run(500_000);
        Assert.Equal(cluster.Core(leader).End, cluster.Core(3).End);
        Assert.True(cluster.Core(3).HasLoss);

        cluster[3].HoldsSync = false;
        cluster.DeliverAll();
        Assert.False(cluster.Core(3).HasLoss);
        Assert.False(cluster[3].HasLoss);
    }

    // Design 2.22: "no votes, no pre-votes granted, no campaign".
    [Fact]
    public void A_node_with_loss_flag_does_not_elect_with_one_other_voter()
    {
        var cluster = Led(3);
        cluster.Kill(3);
        cluster[3].Lose(LogPosition.Zero);
        cluster.Restart(3);
        cluster.Partition([3], [1]);
        cluster.Kill(1);

        cluster.Run(5_000_000);

        Assert.True(cluster.Core(3).HasLoss);
        Assert.DoesNotContain(cluster.Nodes, node => node.Core?.Role is RaftRole.Leader or RaftRole.Candidate);
    }

    // 2.14: a peer that lost bytes falls behind what was counted; commit never moves back.
    [Fact]
    public void A_hello_with_loss_sets_the_match_back_but_not_the_commit()
    {
        var cluster = Led(3);
        cluster.Propose(1, 3);
        cluster.Settle();
        var commit = cluster.Core(1).Commit;
        cluster.Kill(3);
        cluster[3].Lose(LogPosition.Zero);
        cluster[3].HoldsSync = true;
        cluster.Restart(3);
        cluster.Settle();

        Assert.Equal(LogPosition.Zero, cluster.Core(1).Peers.Single(peer => peer.Node == new NodeId(3)).Match);
        Assert.Equal(commit, cluster.Core(1).Commit);
    }

    private static Member Of(int node, int generation) =>
        new(new NodeId(node), TestNode.StorageOf(new NodeId(node), generation));

    private static TestCluster Led(int nodeCount, int? founderCount = null)
    {
        var cluster = new TestCluster(nodeCount, founderCount: founderCount).Boot();
        cluster.Elect(1);
        cluster.Settle();
        return cluster;
    }

    private static TestCluster Promoting()
    {
        var cluster = Led(5, founderCount: 3);
        Change(cluster, new ConfigurationChange { AddLearners = [cluster[4].Member, cluster[5].Member] });
        cluster.Settle();
        cluster.Run(300_000);
        return cluster;
    }

    private static void StartPromotion(TestCluster cluster)
    {
        Change(cluster, new ConfigurationChange
        {
            Promote = [cluster[4].Member, cluster[5].Member],
            Remove = [cluster[1].Member],
        });
        Assert.True(cluster.Core(1).Configuration.IsJoint);
    }

    private static void Change(TestCluster cluster, ConfigurationChange change) =>
        cluster[1].Call((core, now) => core.ChangeConfiguration(now, change));

    private static List<ConfigurationChangeFinished> Outcomes(TestCluster cluster) =>
        [.. cluster.Effects.Select(noted => noted.Effect).OfType<ConfigurationChangeFinished>()];
}
