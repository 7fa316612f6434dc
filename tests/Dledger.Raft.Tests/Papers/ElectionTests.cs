using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Papers;

/// <summary>Claims of Raft sections 5.1, 5.2, 5.4.1 and of the thesis on elections, one test each.</summary>
public sealed class ElectionTests
{
    // 5.1: "If one server's current term is smaller than the other's, then it updates its current term to the larger value."
    [Fact]
    public void Section_5_1_A_follower_adopts_the_larger_term_of_an_append()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Partition([3], [1, 2]);
        cluster.Elect(1);
        Assert.Equal(Term.Zero, cluster.Core(3).Term);

        cluster.Heal();
        cluster.DeliverAll();

        Assert.Equal(cluster.Core(1).Term, cluster.Core(3).Term);
        Assert.Equal(new NodeId(1), cluster.Core(3).Leader);
    }

    // 5.1: "If a candidate or leader discovers that its term is out of date, it immediately reverts to follower state."
    [Fact]
    public void Section_5_1_A_leader_that_hears_of_a_larger_term_becomes_a_follower()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Partition([1], [2, 3]);
        cluster.Elect(2);
        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);

        cluster.Heal();
        cluster.DeliverAll();

        Assert.Equal(RaftRole.Follower, cluster.Core(1).Role);
    }

    // 5.1: "If a server receives a request with a stale term number, it rejects the request."
    [Fact]
    public void Section_5_1_An_append_of_an_older_term_changes_nothing_and_is_answered_with_the_newer_term()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        cluster.Partition([1], [2, 3]);
        cluster.Propose(1);
        cluster.Elect(2);
        var end = cluster.Core(3).End;
        cluster.Sent.Clear();

        cluster.Heal();
        cluster.Deliver(1, 3);

        Assert.Equal(end, cluster.Core(3).End);
        var reply = Assert.IsType<AppendReply>(Assert.Single(cluster.Sent, sent => sent.From == new NodeId(3)).Message);
        Assert.Equal(cluster.Core(3).Term, reply.Term);
    }

    // 5.2: "Each server will vote for at most one candidate in a given term, on a first-come-first-served basis."
    [Fact]
    public void Section_5_2_A_voter_gives_one_vote_in_a_term_also_after_a_restart()
    {
        var cluster = new TestCluster(3).Boot();
        Ask(cluster, candidate: 1, term: 5);
        cluster.FinishDisks();
        Assert.True(LastVote(cluster).IsGranted);

        cluster.Kill(3, isSilent: true);
        cluster.Restart(3);
        Ask(cluster, candidate: 2, term: 5);
        cluster.FinishDisks();

        Assert.False(LastVote(cluster).IsGranted);
        Assert.Equal(new NodeId(1), cluster.Core(3).VotedFor);
    }

    // 5.2: "A candidate wins an election if it receives votes from a majority of the servers in the full cluster."
    [Fact]
    public void Section_5_2_A_candidate_without_a_majority_does_not_win()
    {
        var cluster = new TestCluster(5).Boot();
        cluster.Kill(3);
        cluster.Kill(4);
        cluster.Kill(5);

        cluster.Elect(1);
        cluster.Run(5_000_000);

        Assert.DoesNotContain(cluster.Effects, effect => effect.Effect is RoleChanged { Role: RaftRole.Leader });
    }

    // 5.2: "If the leader's term is at least as large as the candidate's current term, then the candidate [...] returns to follower state."
    [Fact]
    public void Section_5_2_A_candidate_returns_to_follower_when_it_hears_the_leader_of_its_term()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        cluster.Partition([3], [1, 2]);
        cluster.Run(1_500_000);
        Assert.Equal(RaftRole.PreCandidate, cluster.Core(3).Role);

        cluster.Heal();
        cluster.DeliverAll();

        Assert.Equal(RaftRole.Follower, cluster.Core(3).Role);
        Assert.Equal(new NodeId(1), cluster.Core(3).Leader);
    }

    // 5.2: "Raft uses randomized election timeouts to ensure that split votes are rare and that they are resolved quickly."
    [Fact]
    public void Section_5_2_Nodes_wait_different_times_within_the_bounds()
    {
        var cluster = new TestCluster(5).Boot();

        var waits = cluster.Nodes.Select(node => node.Core!.NextDeadline - cluster.Now).ToArray();

        Assert.All(waits, wait => Assert.InRange(wait, 500_000, 1_000_000));
        Assert.Equal(waits.Length, waits.Distinct().Count());
    }

    // 5.4.1: "The voter denies its vote if its own log is more up-to-date than that of the candidate."
    [Theory]
    [InlineData(new long[] { 1, 1, 2 }, new long[] { 1, 1, 1, 1 }, false)] // a later last term wins over a longer log
    [InlineData(new long[] { 1, 1, 1 }, new long[] { 1, 1 }, false)] // with equal last terms the longer log wins
    [InlineData(new long[] { 1, 1 }, new long[] { 1, 1 }, true)]
    [InlineData(new long[] { 1, 1 }, new long[] { 1, 1, 1 }, true)]
    [InlineData(new long[] { 1, 1, 1, 1 }, new long[] { 1, 2 }, true)]
    public void Section_5_4_1_A_voter_compares_last_term_and_length(long[] voterLog, long[] candidateLog, bool isGranted)
    {
        var cluster = new TestCluster(3);
        cluster[3].SetLog(new Term(2), voterLog);
        cluster.Boot();

        Ask(cluster, candidate: 1, term: 3, candidateLog[^1], candidateLog.Length * TestCluster.FrameLength);
        cluster.FinishDisks();

        Assert.Equal(isGranted, LastVote(cluster).IsGranted);
    }

    // Figure 2: "Updated on stable storage before responding to RPCs."
    [Fact]
    public void Figure_2_A_vote_is_not_answered_before_it_is_durable()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Sent.Clear();

        Ask(cluster, candidate: 1, term: 1);
        Assert.DoesNotContain(cluster.Sent, sent => sent.From == new NodeId(3));
        cluster[3].FinishMeta();

        Assert.True(LastVote(cluster).IsGranted);
        Assert.Equal((new Term(1), new NodeId(1)), cluster[3].Meta);
    }

    // Figure 2: "On conversion to candidate, start election: increment currentTerm, vote for self" - and that is stable storage, too.
    [Fact]
    public void Figure_2_A_candidate_asks_for_votes_only_when_its_own_is_durable()
    {
        var cluster = new TestCluster(3).Boot();
        cluster[1].HoldsMeta = true;

        cluster.Elect(1);
        Assert.DoesNotContain(cluster.Sent, sent => sent.Message is VoteRequest);
        cluster[1].FinishMeta();

        Assert.Equal(2, cluster.Sent.Count(sent => sent.Message is VoteRequest));
    }

    // Thesis 9.6: "a candidate only increments its term if it first learns from a majority of the cluster that they would be willing [...]"
    [Fact]
    public void Thesis_9_6_A_node_that_was_cut_off_comes_back_without_a_higher_term()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        cluster.Partition([3], [1, 2]);
        cluster.Run(10_000_000);

        cluster.Heal();
        cluster.Run(1_000_000);

        Assert.Equal(new Term(1), cluster.Core(1).Term);
        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
        Assert.Equal(new NodeId(1), cluster.Core(3).Leader);
    }

    // Not in the thesis: without the responder's term in a refused pre-vote, the only node with all frames could be stuck below it.
    [Theory]
    [InlineData(nameof(SeededDefect.None), true)]
    [InlineData(nameof(SeededDefect.NoHigherTermFromPreVoteReply), false)]
    public void The_node_with_the_better_log_wins_from_a_lower_term(string defect, bool isElected)
    {
        var cluster = new TestCluster(3, options => options with { Defect = Enum.Parse<SeededDefect>(defect) });
        cluster[1].SetLog(new Term(1), 1, 1, 1);
        cluster[2].SetLog(new Term(5), 1);
        cluster.Boot();
        cluster.Kill(3);

        cluster.Run(5_000_000);

        Assert.Equal(isElected, cluster.Core(1).Role == RaftRole.Leader);
    }

    // Thesis 4.2.3: "if a server receives a RequestVote request within the minimum election timeout of hearing from a current leader, it
    // does not update its term or grant its vote."
    [Fact]
    public void Thesis_4_2_3_A_vote_request_does_not_disturb_a_follower_that_hears_its_leader()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();

        Ask(cluster, candidate: 2, term: 9, lastTerm: 1, end: 100_000);
        cluster.FinishDisks();

        Assert.False(LastVote(cluster).IsGranted);
        Assert.Equal(new Term(1), cluster.Core(3).Term);
    }

    // Thesis 4.2.3: the exception is a leadership transfer.
    [Fact]
    public void Thesis_4_2_3_A_vote_request_of_a_transfer_is_considered_in_spite_of_the_leader()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();

        Ask(cluster, candidate: 2, term: 9, lastTerm: 1, end: 100_000, isTransfer: true);
        cluster.FinishDisks();

        Assert.True(LastVote(cluster).IsGranted);
    }

    // Thesis 6.2: "a leader steps down if an election timeout elapses without a successful round of heartbeats to a majority of its cluster"
    [Fact]
    public void Thesis_6_2_A_leader_without_answers_steps_down()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        cluster.Partition([1], [2, 3]);

        cluster.Run(1_200_000);

        Assert.Equal(RaftRole.Follower, cluster.Core(1).Role);
        Assert.False(cluster.Core(1).CanPropose);
    }

    // Not in the paper: an answer to an old request proves nothing about now, however late it comes.
    [Fact]
    public void Contact_counts_from_when_the_answered_request_was_sent()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        var session = cluster.Sent.Last(sent => sent.From == new NodeId(2)).Message.Session;
        var sentAt = cluster.Now;
        cluster.Partition([1], [2, 3]);
        cluster.Run(900_000);

        cluster[1].Call((core, now) => core.Receive(now, new AppendReply
        {
            From = new NodeId(2),
            Session = session,
            Term = new Term(1),
            Stream = 0,
            SentAt = sentAt,
            Durable = core.Commit,
            Received = core.Commit,
        }));
        cluster.Run(200_000);

        Assert.Equal(RaftRole.Follower, cluster.Core(1).Role);
    }

    // Thesis 3.10: "the prior leader sends a TimeoutNow request to the target server" only once its log matches.
    [Fact]
    public void Thesis_3_10_A_transfer_waits_until_the_target_has_all_frames()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        cluster[3].HoldsSync = true;
        cluster.Propose(1);
        cluster.DeliverAll();

        cluster[1].Call((core, now) => core.TransferLeadership(now, new NodeId(3)));
        cluster.DeliverAll();
        Assert.DoesNotContain(cluster.Sent, sent => sent.Message is TimeoutNow);
        Assert.False(cluster.Core(1).CanPropose);
        cluster[3].HoldsSync = false;
        cluster.DeliverAll();

        Assert.Equal(RaftRole.Leader, cluster.Core(3).Role);
    }

    // Thesis 3.10: "If leadership transfer does not complete after about an election timeout, the prior leader aborts the transfer
    // and resumes accepting client requests."
    [Fact]
    public void Thesis_3_10_A_transfer_that_does_not_complete_is_given_up()
    {
        var cluster = new TestCluster(3).Boot();
        cluster.Elect(1);
        cluster.Settle();
        cluster.Partition([3], [1, 2]);

        cluster[1].Call((core, now) => core.TransferLeadership(now, new NodeId(3)));
        cluster.Run(700_000);

        Assert.Contains(cluster.Effects, effect => effect.Effect is TransferFinished { IsSuccess: false });
        Assert.True(cluster.Core(1).CanPropose);
    }

    private static void Ask(
        TestCluster cluster, int candidate, long term, long lastTerm = 0, long end = 0, bool isTransfer = false) =>
        cluster[3].Call((core, now) => core.Receive(now, new VoteRequest
        {
            From = new NodeId(candidate),
            Session = 1,
            Term = new Term(term),
            Campaign = 1,
            LastTerm = new Term(lastTerm),
            End = new LogPosition(end),
            IsTransfer = isTransfer,
        }));

    private static VoteReply LastVote(TestCluster cluster) =>
        Assert.IsType<VoteReply>(cluster.Sent.Last(sent => sent.Message is VoteReply).Message);
}
