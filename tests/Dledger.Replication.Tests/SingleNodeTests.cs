using System.Text;
using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;
using Dledger.Testing.Disks;

namespace Dledger.Replication.Tests;

public sealed class SingleNodeTests
{
    [Fact]
    public async Task A_cluster_of_one_founds_itself_and_commits_what_is_proposed()
    {
        await using var cluster = TestCluster.Started(1);

        var first = await cluster.ProposeAsync("first");
        var second = await cluster.ProposeAsync("second");

        Assert.True(second > first);
        Assert.Equal(["first", "second"], cluster.Nodes[0].Machine.Messages.Select(message => message.Body));
        Assert.NotEqual(Guid.Empty, cluster.Nodes[0].Running.ClusterId);
    }

    [Theory]
    [InlineData(FlushMode.QuorumSync)]
    [InlineData(FlushMode.QuorumAsync)]
    public async Task A_restarted_node_has_what_it_acknowledged(FlushMode mode)
    {
        await using var cluster = new TestCluster(1);
        var node = cluster.Nodes[0];
        node.Options = node.Options with { FlushMode = mode };
        node.Start();
        await cluster.ProposeAsync("kept");
        var clusterId = node.Running.ClusterId;

        await node.DropAsync();
        node.Start();
        await cluster.ProposeAsync("new");

        Assert.Equal(["kept", "new"], node.Machine.Messages.Select(message => message.Body));
        Assert.Equal(clusterId, node.Running.ClusterId);
        Assert.Equal(new Term(2), node.Running.Status.Term);
    }

    [Fact]
    public async Task Proposals_of_one_caller_are_applied_in_the_order_given()
    {
        await using var cluster = TestCluster.Started(1);
        var leader = await cluster.WaitForLeaderAsync();

        var proposals = Enumerable.Range(0, 2000)
            .Select(i => new TestProposal(Encoding.UTF8.GetBytes($"{i}")))
            .ToList();
        foreach (var proposal in proposals)
        {
            Assert.True(leader.Running.TryPropose(proposal, out var failure), $"{failure}");
        }

        var outcomes = await Task.WhenAll(proposals.Select(proposal => proposal.Outcome));
        Assert.All(outcomes, outcome => Assert.Null(outcome.Failure));
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"{i}"), leader.Machine.Messages.Select(m => m.Body));
        Assert.Equal(outcomes.Select(o => o.Position!.Value), leader.Machine.Messages.Select(m => m.Position));
    }

    [Fact]
    public async Task A_log_without_space_for_a_new_segment_goes_on_when_there_is_space_again()
    {
        await using var cluster = new TestCluster(1);
        var disk = new SimulatedDisk(seed: 5);
        var node = cluster.Nodes[0];
        node.WrapDisk = _ => disk;
        node.Options = node.Options with
        {
            Log = node.Options.Log with { SegmentBytes = 4 << 20, SpareCount = 0, ReserveBytes = 0 },
        };
        node.Start();
        await cluster.ProposeAsync("first");
        var proposals = Enumerable.Range(0, 6).Select(_ => new TestProposal(new byte[1 << 20])).ToList();

        // The first segment has 4 MiB: three of the six fit behind what is there.
        disk.CapacityBytes = disk.GetSpace().TotalBytes - disk.GetSpace().FreeBytes;
        foreach (var proposal in proposals)
        {
            Assert.True(node.Running.TryPropose(proposal, out var failure), $"{failure}");
        }

        await Eventually.TrueAsync(
            () => proposals[2].Outcome.IsCompleted && node.Running.Status is var status && status.Durable < status.End,
            "the log is full",
            cluster.Describe);
        Assert.False(proposals[5].Outcome.IsCompleted);
        disk.CapacityBytes = long.MaxValue;

        var outcomes = await Task.WhenAll(proposals.Select(proposal => proposal.Outcome));
        Assert.All(outcomes, outcome => Assert.Null(outcome.Failure));
        Assert.False(node.Running.Completion.IsCompleted);
    }

    [Fact]
    public async Task Committed_bytes_can_be_read_by_position_from_memory_and_after_a_restart_from_disk()
    {
        await using var cluster = TestCluster.Started(1);
        var node = await cluster.WaitForLeaderAsync();
        var position = await cluster.ProposeAsync("read me");

        Assert.Contains("read me", ReadText(node, position), StringComparison.Ordinal);
        await node.DropAsync();
        node.Start();
        await cluster.WaitForLeaderAsync();
        Assert.Contains("read me", ReadText(node, position), StringComparison.Ordinal);
        Assert.Equal(0, node.Running.Read(node.Running.Status.Commit, new byte[8]));
        Assert.Equal(8, node.Running.Read(node.Running.Status.Commit + -8, new byte[64]));
    }

    [Fact]
    public async Task More_waiting_proposals_than_allowed_are_answered_with_busy()
    {
        await using var cluster = new TestCluster(1);
        var node = cluster.Nodes[0];
        node.Options = node.Options with { WaitingProposalCountMax = 4 };
        node.Start();
        await cluster.WaitForLeaderAsync();

        var kept = new List<TestProposal>();
        ProposalFailure busy = default;
        while (busy.Kind != ProposalFailureKind.Busy)
        {
            var proposal = new TestProposal(new byte[100]);
            if (node.Running.TryPropose(proposal, out var failure))
            {
                kept.Add(proposal);
            }
            else
            {
                busy = failure;
            }
        }

        var outcomes = await Task.WhenAll(kept.Select(proposal => proposal.Outcome));
        Assert.All(outcomes, outcome => Assert.NotNull(outcome.Position));
        await cluster.ProposeAsync("there is room again");
    }

    [Fact]
    public async Task A_slow_state_machine_holds_proposals_back_until_the_answer_is_busy()
    {
        await using var cluster = new TestCluster(1);
        var node = cluster.Nodes[0];
        node.Options = node.Options with { UnappliedBytesMax = 4 << 20, WaitingProposalBytesMax = 4 << 20 };
        node.Start();
        await cluster.WaitForLeaderAsync();
        using var gate = new ManualResetEvent(false);
        node.Machine.ApplyGate = gate;

        var kept = new List<TestProposal>();
        ProposalFailure failure = default;
        while (failure.Kind != ProposalFailureKind.Busy)
        {
            var proposal = new TestProposal(new byte[64 << 10]);
            if (node.Running.TryPropose(proposal, out failure))
            {
                kept.Add(proposal);
            }

            Assert.True(kept.Count < 1000, "the bounds hold");
        }

        gate.Set();
        var outcomes = await Task.WhenAll(kept.Select(proposal => proposal.Outcome));
        Assert.All(outcomes, outcome => Assert.NotNull(outcome.Position));
    }

    [Fact]
    public async Task A_cluster_of_one_cannot_hand_leadership_over()
    {
        await using var cluster = TestCluster.Started(1);
        var node = await cluster.WaitForLeaderAsync();

        Assert.False(await node.Running.TransferLeadershipAsync(null, CancellationToken.None));
        await cluster.ProposeAsync("it still leads");
    }

    [Fact]
    public async Task A_request_is_handled_on_the_apply_loop_and_refused_after_the_stop()
    {
        await using var cluster = TestCluster.Started(1);
        var node = await cluster.WaitForLeaderAsync();
        var running = node.Running;
        var request = new TestRequest();

        Assert.True(running.TryPost(request));
        Assert.True(await request.Handled.WaitAsync(TimeSpan.FromSeconds(30)));
        await node.StopAsync();
        Assert.False(running.TryPost(new TestRequest()));
        Assert.Equal(1, node.Machine.StopCount);
        Assert.False((await running.Completion).IsFault);
    }

    [Fact]
    public async Task Due_work_of_a_serving_leader_is_called_at_its_log_time()
    {
        await using var cluster = TestCluster.Started(1);
        var node = await cluster.WaitForLeaderAsync();
        var calledAt = 0L;
        node.Machine.OnDue = now =>
        {
            node.Machine.NextDueLogTime = long.MaxValue;
            Volatile.Write(ref calledAt, now);
        };

        var dueAt = node.Running.LogTimeNow + 50_000;
        node.Machine.NextDueLogTime = dueAt;
        Assert.True(node.Running.TryPost(new TestRequest()));

        await Eventually.TrueAsync(() => Volatile.Read(ref calledAt) != 0, "the due work runs");
        Assert.True(calledAt >= dueAt);
    }

    [Fact]
    public async Task The_state_machine_learns_that_it_serves_only_after_the_first_frame_of_the_term()
    {
        await using var cluster = TestCluster.Started(1);
        await cluster.WaitForLeaderAsync();

        var leaderships = cluster.Nodes[0].Machine.Leaderships;
        Assert.True(leaderships[^1].IsServing);
        Assert.All(leaderships.SkipLast(1), leadership => Assert.False(leadership.IsServing));
        Assert.True(cluster.Nodes[0].Running.Status.Applied > LogPosition.Zero);
    }

    [Fact]
    public async Task A_silent_node_does_not_write_to_its_disk()
    {
        await using var cluster = new TestCluster(1);
        var node = cluster.Nodes[0];
        TrippingDisk? disk = null;
        node.WrapDisk = inner => disk = new TrippingDisk(inner);
        node.Start();
        await cluster.ProposeAsync("the last one");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(700));
        await timer.WaitForNextTickAsync();

        var before = disk!.Counts;
        await timer.WaitForNextTickAsync();

        Assert.Equal(before, disk.Counts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public async Task A_proposal_of_an_impossible_size_is_a_mistake_of_the_caller(int bytes)
    {
        await using var cluster = TestCluster.Started(1);
        var node = await cluster.WaitForLeaderAsync();

        Assert.Throws<ArgumentException>(() => node.Running.TryPropose(new RawProposal(new byte[bytes]), out _));
    }

    [Fact]
    public void Options_report_every_problem_at_once()
    {
        var options = new ReplicationOptions
        {
            Self = new NodeId(2),
            Members = [new ClusterMember(new NodeId(1), "a", 1), new ClusterMember(new NodeId(1), "b", 1)],
            HeartbeatInterval = TimeSpan.FromSeconds(1),
        };

        Assert.Equal(3, options.Validate().Count);
    }

    private static string ReadText(TestNode node, LogPosition position)
    {
        var bytes = new byte[80];
        var read = node.Running.Read(position, bytes);
        return Encoding.UTF8.GetString(bytes, 0, read);
    }

    private sealed class RawProposal(byte[] bytes) : Proposal(bytes, 1)
    {
        public override void Fail(ProposalFailure failure) => Assert.Fail("was never kept");
    }
}
