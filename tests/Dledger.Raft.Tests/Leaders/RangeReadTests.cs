using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Leaders;

/// <summary>What a peer lacks and memory no longer holds is read by the driver; the core waits for it and for nothing else.</summary>
public sealed class RangeReadTests
{
    private const int Frame = TestCluster.FrameLength;
    private const int RangeBytes = 4 * Frame;

    [Fact]
    public void A_peer_far_behind_gets_what_was_read_then_what_is_in_memory()
    {
        var cluster = Behind();
        while (AnswerReads(cluster) > 0)
        {
            cluster.Settle();
        }

        Assert.Equal(cluster.Core(1).End, cluster.Core(3).Durable);
        Assert.Equal(cluster.Core(1).Commit, cluster.Core(3).End);
    }

    [Fact]
    public void While_a_range_is_read_heart_beats_and_the_other_peers_go_on()
    {
        var cluster = Behind();
        var committed = cluster.Core(1).Commit;

        cluster.Propose(1, count: 3);
        cluster.Run(300_000);

        Assert.True(cluster.Core(1).Commit > committed);
        Assert.Equal(new NodeId(1), cluster.Core(3).Leader);
        Assert.Single(Reads(cluster));
    }

    [Fact]
    public void An_answer_to_an_older_request_changes_nothing()
    {
        var cluster = Behind();
        var old = Reads(cluster).Single();
        cluster.Kill(3);
        cluster.Restart(3);
        cluster.Settle();
        Assert.Equal(2, Reads(cluster).Count);
        var sent = RangesTo3(cluster);

        Answer(cluster, old);

        Assert.Equal(sent, RangesTo3(cluster));
        Answer(cluster, Reads(cluster)[1]);
        Assert.Equal(sent + 1, RangesTo3(cluster));
    }

    [Fact]
    public void A_range_that_the_log_gave_up_meanwhile_is_not_sent()
    {
        var cluster = Behind();
        var request = Reads(cluster).Single();
        var sent = RangesTo3(cluster);
        cluster[1].Log.AdvanceStart(request.From + (2 * Frame));
        cluster[1].Call((core, _) => core.LogStartAdvanced());

        cluster[1].Call((core, now) => core.RangeRead(now, request.Peer, request.Number, request.From, 0));
        cluster.Run(300_000);

        Assert.Equal(sent, RangesTo3(cluster));
        Assert.Contains(cluster.Effects, noted => noted is { Node.Value: 3, Effect: SnapshotNeeded });
    }

    // Node 3 was down while 20 frames were written, of which the leader keeps 5 in memory.
    private static TestCluster Behind()
    {
        var cluster = new TestCluster(3, options => options with { RangeBytesMax = RangeBytes }).Boot();
        cluster.Elect(1);
        cluster.Propose(1, count: 1);
        cluster.Settle();
        cluster.Kill(3);
        cluster.Propose(1, count: 20);
        cluster.Settle();
        cluster[1].Log.MemoryBytes = 5 * Frame;
        cluster.Restart(3);
        cluster.Settle();
        return cluster;
    }

    private static List<ReadRange> Reads(TestCluster cluster) =>
        [.. cluster.Effects.Where(noted => noted.Node.Value == 1).Select(noted => noted.Effect).OfType<ReadRange>()];

    private static int RangesTo3(TestCluster cluster) =>
        cluster.Sent.Count(sent => sent is { To.Value: 3, Message: AppendRequest { IsEmpty: false } });

    private static int AnswerReads(TestCluster cluster)
    {
        var requests = Reads(cluster);
        cluster.Effects.Clear();
        requests.ForEach(request => Answer(cluster, request));
        return requests.Count;
    }

    private static void Answer(TestCluster cluster, ReadRange request)
    {
        var log = cluster[1].Log;
        var end = log.FindRangeEnd(request.From, request.BytesMax);
        Assert.InRange(end - request.From, Frame, RangeBytes);
        cluster[1].Call((core, now) => core.RangeRead(now, request.Peer, request.Number, end, log.GetChain(end)));
    }
}
