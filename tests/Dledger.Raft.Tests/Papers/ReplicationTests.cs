using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Papers;

/// <summary>Claims of Raft sections 5.3, 5.4.2 and 8 on replication and commit, one test each.</summary>
public sealed class ReplicationTests
{
    // 5.3: "A log entry is committed once the leader that created the entry has replicated it on a majority of the servers."
    [Fact]
    public void Section_5_3_A_frame_is_committed_when_a_majority_has_it_durable_and_not_before()
    {
        var cluster = Led();
        cluster[2].HoldsSync = true;
        cluster[3].HoldsSync = true;
        var before = cluster.Core(1).Commit;

        cluster.Propose(1);
        cluster.DeliverAll();
        Assert.Equal(before, cluster.Core(1).Commit);
        cluster[2].HoldsSync = false;
        cluster.DeliverAll();

        Assert.Equal(cluster.Core(1).End, cluster.Core(1).Commit);
    }

    // 5.3: "This also commits all preceding entries in the leader's log, including entries created by previous leaders."
    [Fact]
    public void Section_5_3_The_first_frame_of_a_leader_commits_the_frames_of_earlier_ones()
    {
        var cluster = new TestCluster(3);
        cluster[1].SetLog(new Term(1), 1, 1, 1);
        cluster.Boot();

        cluster.Elect(1);

        Assert.Equal(cluster.Core(1).End, cluster.Core(1).Commit);
        Assert.Equal(new LogPosition(3 * TestCluster.FrameLength), cluster.Core(1).TermStart);
    }

    // 5.3: "If the follower does not find an entry in its log with the same index and term, then it refuses the new entries."
    [Fact]
    public void Section_5_3_An_append_that_does_not_fit_is_refused_and_changes_nothing()
    {
        var cluster = Led();
        cluster.Propose(1);
        cluster.Drop(1, 3);
        cluster.Propose(1);
        var end = cluster.Core(3).End;

        cluster.Deliver(1, 3);

        Assert.Equal(end, cluster.Core(3).End);
        var reply = Assert.IsType<AppendReply>(cluster.Sent.Last(sent => sent.From == new NodeId(3)).Message);
        Assert.NotNull(reply.Mismatch);
    }

    // 5.3: "the leader handles inconsistencies by forcing the followers' logs to duplicate its own" - figure 7, every follower of it.
    [Theory]
    [InlineData(1, 1, 1, 4, 4, 5, 5, 6, 6)]
    [InlineData(1, 1, 1, 4)]
    [InlineData(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6)]
    [InlineData(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7)]
    [InlineData(1, 1, 1, 4, 4, 4, 4)]
    [InlineData(1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3)]
    public void Section_5_3_Figure_7_A_follower_takes_over_the_leaders_log(params int[] followerLog)
    {
        var cluster = new TestCluster(3);
        cluster[1].SetLog(new Term(7), 1, 1, 1, 4, 4, 5, 5, 6, 6, 6);
        cluster[2].SetLog(new Term(7));
        cluster[3].SetLog(new Term(7), [.. followerLog.Select(term => (long)term)]);
        cluster.Boot();
        cluster.Partition([3], [1, 2]);
        cluster.Elect(1);

        cluster.Heal();
        cluster.Settle();

        Assert.Equal(cluster[1].Log.Frames, cluster[3].Log.Frames);
        Assert.Equal(cluster.Core(1).End, cluster.Core(3).Commit);
    }

    // 5.3: "A leader never overwrites or deletes entries in its own log."
    [Fact]
    public void Section_5_3_A_leader_keeps_its_log_whatever_its_followers_have()
    {
        var cluster = new TestCluster(3);
        cluster[1].SetLog(new Term(3), 1, 3);
        cluster[2].SetLog(new Term(2), 1, 2, 2, 2);
        cluster[3].SetLog(new Term(2), 1, 2, 2, 2);
        cluster.Boot();
        var frames = cluster[1].Log.Frames.ToArray();

        cluster.Elect(1);
        cluster.Settle();

        Assert.Equal(RaftRole.Leader, cluster.Core(1).Role);
        Assert.Equal(frames, cluster[1].Log.Frames.Take(frames.Length));
        Assert.DoesNotContain(cluster.Effects, effect => effect.Node == new NodeId(1) && effect.Effect is TruncateTo);
    }

    // 5.4.2, figure 8: "Raft never commits log entries from previous terms by counting replicas."
    [Fact]
    public void Section_5_4_2_Figure_8_A_frame_of_an_older_term_is_not_committed_by_counting_copies()
    {
        var cluster = new TestCluster(
            5, options => options with { ProbeBytesMax = TestCluster.FrameLength, RangeBytesMax = TestCluster.FrameLength });
        cluster[1].SetLog(new Term(3), 1, 2);
        cluster[2].SetLog(new Term(3), 1, 2);
        cluster[3].SetLog(new Term(3), 1);
        cluster[4].SetLog(new Term(3), 1);
        cluster[5].SetLog(new Term(3), 1, 3);
        cluster.Boot();
        cluster.Partition([4, 5], [1, 2, 3]);
        cluster[3].HoldsSync = true;
        cluster.Elect(1);
        var oldFrameEnd = new LogPosition(2 * TestCluster.FrameLength);

        // Node 3 has the frame of term 2 durable now, so three of five have it; the leader's own first frame has only two.
        cluster[3].FinishSync();
        cluster.Deliver(3, 1);
        Assert.Equal(oldFrameEnd, cluster.Core(1).Peers.Single(peer => peer.Node == new NodeId(3)).Match);
        Assert.Equal(LogPosition.Zero, cluster.Core(1).Commit);
        cluster[3].HoldsSync = false;
        cluster.DeliverAll();

        Assert.Equal(cluster.Core(1).End, cluster.Core(1).Commit);
    }

    // 8: "Raft handles this by having each leader commit a blank no-op entry into the log at the start of its term."
    [Fact]
    public void Section_8_A_leader_opens_its_term_with_a_frame_of_its_own()
    {
        var cluster = new TestCluster(3).Boot();

        cluster.Elect(1);

        var first = Assert.Single(cluster[1].Log.Frames).Summary;
        Assert.Equal(new Term(1), first.Term);
        Assert.True(first.Flags.HasFlag(FrameFlags.TermStart));
    }

    // 10.2.1 of the thesis: the leader may write to disk in parallel with replication; followers alone can be the majority.
    [Fact]
    public void Thesis_10_2_1_Two_followers_commit_while_the_leader_still_syncs()
    {
        var cluster = Led();
        cluster[1].HoldsSync = true;

        cluster.Propose(1);
        cluster.DeliverAll();

        Assert.Equal(cluster.Core(1).End, cluster.Core(1).Commit);
        Assert.True(cluster.Core(1).Durable < cluster.Core(1).Commit);
    }

    // 10.2.2 of the thesis: "the leader sends entries without waiting for the previous ones to be acknowledged", here up to a window.
    [Fact]
    public void Thesis_10_2_2_A_leader_sends_ahead_until_the_window_is_full()
    {
        var cluster = Led(options => options with
        {
            RangeBytesMax = TestCluster.FrameLength,
            WindowBytesMax = 4 * TestCluster.FrameLength,
        });
        cluster.Sent.Clear();

        cluster.Propose(1, count: 10);

        Assert.Equal(4, cluster.Sent.Count(sent => sent.To == new NodeId(2) && sent.Message is AppendRequest { IsEmpty: false }));
        cluster.DeliverAll();
        Assert.Equal(cluster.Core(1).End, cluster.Core(2).End);
    }

    [Fact]
    public void A_frame_larger_than_a_range_goes_alone()
    {
        var cluster = Led(options => options with { RangeBytesMax = 100, WindowBytesMax = 100 });

        cluster.Propose(1, count: 3);
        cluster.Settle();

        Assert.Equal(cluster.Core(1).End, cluster.Core(3).Commit);
    }

    [Fact]
    public void A_follower_does_not_acknowledge_its_own_longer_tail()
    {
        // Node 3 has a tail of term 1 that the leader of term 2 does not have; the first append reaches only into the common part.
        var cluster = new TestCluster(3, options => options with { ProbeBytesMax = TestCluster.FrameLength });
        cluster[1].SetLog(new Term(2), 1, 2);
        cluster[3].SetLog(new Term(2), 1, 1, 1, 1);
        cluster.Boot();
        cluster[3].HoldsSync = true;

        cluster.Elect(1);
        cluster.Settle();

        Assert.All(
            cluster.Sent.Where(sent => sent.From == new NodeId(3)).Select(sent => sent.Message).OfType<AppendReply>(),
            reply => Assert.True(reply.Durable <= new LogPosition(TestCluster.FrameLength), $"acknowledged {reply.Durable}"));
    }

    [Fact]
    public void An_append_of_an_older_session_changes_nothing()
    {
        var cluster = Led();
        cluster.Propose(1);
        var old = (AppendRequest)cluster.Sent.Last(sent => sent.To == new NodeId(3)).Message;
        cluster.Drop(1, 3);
        cluster.Heal();
        cluster.Settle();
        cluster.Sent.Clear();
        var state = Describe.State(cluster[3]);

        cluster[3].Call((core, now) => core.Receive(now, old with { RangeEnd = old.Previous }));

        Assert.Equal(state, Describe.State(cluster[3]));
        Assert.Empty(cluster.Sent);
    }

    [Fact]
    public void A_writer_notice_of_an_older_generation_changes_nothing()
    {
        var cluster = Led();
        cluster.Partition([1], [2, 3]);
        cluster.Propose(1, count: 3);
        cluster.Elect(2);
        cluster[1].HoldsSync = true;
        cluster.Heal();
        cluster.DeliverAll();
        Assert.Equal(1u, cluster.Core(1).Generation);
        var durable = cluster.Core(1).Durable;

        cluster[1].Call((core, now) => core.LogDurable(now, new LogPosition(4 * TestCluster.FrameLength), generation: 0));

        Assert.Equal(durable, cluster.Core(1).Durable);
    }

    [Fact]
    public void A_malformed_range_closes_the_session_and_writes_nothing()
    {
        var cluster = Led();
        cluster.Propose(1);
        var request = (AppendRequest)cluster.Sent.Last(sent => sent.To == new NodeId(3)).Message;
        var frame = cluster[1].Log.Frames[^1].Summary;
        var end = cluster.Core(3).End;

        cluster[3].Call((core, now) => core.Receive(now, request with { Frames = [frame with { PreviousHeaderCrc = 7 }] }));

        Assert.Equal(end, cluster.Core(3).End);
        Assert.Contains(cluster.Effects, effect => effect.Effect is CloseSession { Peer.Value: 1 });
    }

    [Fact]
    public void A_log_that_differs_where_the_terms_are_equal_halts_the_node()
    {
        var cluster = Led();
        cluster.Propose(1);
        var request = (AppendRequest)cluster.Sent.Last(sent => sent.To == new NodeId(3)).Message;

        cluster[3].Call((core, now) => core.Receive(now, request with { PreviousChain = request.PreviousChain + 1 }));

        Assert.NotNull(cluster.Core(3).HaltReason);
        cluster.DeliverAll();
        Assert.Equal(request.Previous, cluster.Core(3).End);
    }

    [Fact]
    public void Logs_with_more_epochs_than_a_rejection_carries_are_matched_all_the_same()
    {
        // 200 terms are common; then the follower has 100 terms that the leader never saw.
        var common = Enumerable.Range(1, 200).Select(term => (long)term).ToArray();
        var cluster = new TestCluster(3);
        cluster[1].SetLog(new Term(400), [.. common, 400]);
        cluster[2].SetLog(new Term(400), [.. common, 400]);
        cluster[3].SetLog(new Term(400), [.. common, .. Enumerable.Range(201, 100).Select(term => (long)term)]);
        cluster.Boot();

        cluster.Elect(1);
        cluster.Settle();

        Assert.Equal(cluster[1].Log.Frames, cluster[3].Log.Frames);
    }

    [Fact]
    public void A_session_opened_anew_does_not_send_again_what_the_peer_has()
    {
        var cluster = Led();
        cluster.Propose(1, count: 50);
        cluster.Settle();
        cluster.Sent.Clear();

        cluster.Heal();
        cluster.Settle();

        Assert.DoesNotContain(cluster.Sent, sent => sent.Message is AppendRequest { IsEmpty: false });
        Assert.All(cluster.Core(1).Peers, peer => Assert.Equal(ProgressState.Replicate, peer.State));
    }

    [Fact]
    public void Uncommitted_bytes_at_the_cap_stop_proposals()
    {
        var cluster = Led(options => options with { UncommittedBytesMax = 2 * TestCluster.FrameLength });
        cluster.Partition([1], [2, 3]);

        cluster.Propose(1, count: 2);

        Assert.False(cluster.Core(1).CanPropose);
    }

    [Fact]
    public void A_follower_with_a_stuck_disk_is_sent_no_more_than_it_may_keep_in_memory()
    {
        const int Cap = 4 * TestCluster.FrameLength;
        var cluster = Led(options => options with { UnsyncedBytesMax = Cap, WindowBytesMax = Cap });
        cluster[2].HoldsSync = true;

        for (var i = 0; i < 30; i++)
        {
            cluster.Propose(1);
            cluster.DeliverAll();
        }

        Assert.Equal(cluster.Core(1).End, cluster.Core(3).End);
        Assert.InRange(cluster.Core(2).End - cluster.Core(2).Durable, Cap, (2 * Cap) + TestCluster.FrameLength);
        cluster[2].HoldsSync = false;
        cluster.Settle();
        Assert.Equal(cluster.Core(1).End, cluster.Core(2).Durable);
    }

    private static TestCluster Led(Func<RaftOptions, RaftOptions>? configure = null)
    {
        var cluster = new TestCluster(3, configure).Boot();
        cluster.Elect(1);
        cluster.Settle();
        return cluster;
    }
}
