using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests;

public sealed class ThreeNodeTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Three_nodes_elect_a_leader_and_apply_the_same_frames()
    {
        await using var cluster = TestCluster.Started(3);

        LogPosition last = default;
        for (var i = 0; i < 50; i++)
        {
            last = await cluster.ProposeAsync($"message {i}");
        }

        await cluster.WaitUntilEqualAsync(last);
        var bodies = cluster.Nodes[0].Machine.Messages.Select(message => message.Body);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"message {i}"), bodies.Distinct());
    }

    [Fact]
    public async Task A_follower_names_the_leader_when_it_refuses_a_proposal()
    {
        await using var cluster = TestCluster.Started(3);
        var leader = await cluster.WaitForLeaderAsync();
        var follower = cluster.Nodes.First(node => node != leader);
        await Eventually.TrueAsync(
            () => follower.Running.Status.Leader == leader.Self, "the follower knows the leader");

        var outcome = await TestCluster.TryProposeAsync(follower, "not here");

        Assert.Equal(ProposalFailureKind.NotLeader, outcome.Failure!.Value.Kind);
        Assert.Equal(leader.Self, outcome.Failure.Value.Leader);
    }

    [Fact]
    public async Task After_the_death_of_the_leader_another_one_serves_with_all_that_was_acknowledged()
    {
        await using var cluster = TestCluster.Started(3);
        var acked = await ProposeManyAsync(cluster, "before", 30);
        var leader = await cluster.WaitForLeaderAsync();

        await leader.DropAsync();
        var after = await ProposeManyAsync(cluster, "after", 30);
        leader.Start();

        await cluster.WaitUntilEqualAsync(after[^1].Position);
        foreach (var node in cluster.Nodes)
        {
            Assert.Superset(acked.Concat(after).ToHashSet(), node.Machine.Messages.ToHashSet());
        }
    }

    [Fact]
    public async Task Leadership_moves_to_the_node_that_was_asked_for()
    {
        await using var cluster = TestCluster.Started(3);
        var acked = await ProposeManyAsync(cluster, "before", 5);
        var leader = await cluster.WaitForLeaderAsync();
        var target = cluster.Nodes.Last(node => node != leader);
        await cluster.WaitUntilEqualAsync(acked[^1].Position);

        var isDone = await leader.Running.TransferLeadershipAsync(target.Self, CancellationToken.None);

        Assert.True(isDone, cluster.Describe());
        await Eventually.TrueAsync(() => target.Running.Status.IsServing, "the target serves", cluster.Describe);
        await cluster.ProposeAsync("after");
    }

    [Fact]
    public async Task A_leader_that_stops_in_order_hands_over_first()
    {
        await using var cluster = TestCluster.Started(3);
        var acked = await ProposeManyAsync(cluster, "before", 5);
        await cluster.WaitUntilEqualAsync(acked[^1].Position);
        var leader = await cluster.WaitForLeaderAsync();
        var stopped = leader.Running;

        await leader.StopAsync();

        Assert.False((await stopped.Completion).IsFault);
        Assert.Contains(leader.Log.Lines, line => line.Contains("success: True", StringComparison.Ordinal));
        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
    }

    [Fact]
    public async Task Everything_acknowledged_survives_a_restart_of_all_nodes()
    {
        await using var cluster = TestCluster.Started(3);
        var acked = await ProposeManyAsync(cluster, "kept", 50);

        await Task.WhenAll(cluster.Nodes.Select(node => node.DropAsync()));
        foreach (var node in cluster.Nodes)
        {
            node.Start();
        }

        var last = await cluster.ProposeAsync("new");
        await cluster.WaitUntilEqualAsync(last);
        Assert.Superset(acked.ToHashSet(), cluster.Nodes[0].Machine.Messages.ToHashSet());
    }

    [Fact]
    public async Task A_follower_that_missed_more_than_the_cache_holds_catches_up_from_disk()
    {
        await using var cluster = new TestCluster(3);
        foreach (var node in cluster.Nodes)
        {
            node.Options = node.Options with { TailCacheBytesMax = 4 << 20 };
            node.Start();
        }

        var leader = await cluster.WaitForLeaderAsync();
        var follower = cluster.Nodes.First(node => node != leader);
        await follower.DropAsync();
        LogPosition last = default;
        for (var i = 0; i < 24; i++)
        {
            last = await cluster.ProposeAsync($"{i}:{new string('x', 1 << 20)}");
        }

        follower.Start();

        await cluster.WaitUntilEqualAsync(last);
        Assert.True(follower.Machine.Messages.Count >= 24);
    }

    [Fact]
    public async Task A_proposal_that_no_majority_stores_ends_with_an_unknown_outcome()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        foreach (var follower in cluster.Nodes.Where(node => node != leader))
        {
            await follower.DropAsync();
        }

        var proposal = new TestProposal(new byte[16]);
        Assert.True(leader.Running.TryPropose(proposal, out _));
        var outcome = await proposal.Outcome.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(ProposalFailureKind.OutcomeUnknown, outcome.Failure!.Value.Kind);
        Assert.NotEqual(ReplicationRole.Leader, leader.Running.Status.Role);
    }

    [Fact]
    public async Task A_leader_proves_its_leadership_only_while_a_majority_answers()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var followers = cluster.Nodes.Where(node => node != leader).ToList();

        Assert.Null(await leader.Running.ConfirmLeadershipAsync(CancellationToken.None));
        var refused = await followers[0].Running.ConfirmLeadershipAsync(CancellationToken.None);
        Assert.Equal(ProposalFailureKind.NotLeader, refused!.Value.Kind);
        foreach (var follower in followers)
        {
            await follower.DropAsync();
        }

        var alone = leader.Running.ConfirmLeadershipAsync(CancellationToken.None).AsTask();
        var failure = await alone.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(ProposalFailureKind.NotLeader, failure!.Value.Kind);
        Assert.NotEqual(ReplicationRole.Leader, leader.Running.Status.Role);
    }

    [Fact]
    public async Task A_deposed_leader_cuts_off_what_was_never_committed_and_takes_over_the_rest()
    {
        await using var cluster = TestCluster.Started(3);
        var before = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(before);
        var deposed = await cluster.WaitForLeaderAsync();
        var others = cluster.Nodes.Where(node => node != deposed).ToList();
        await Task.WhenAll(others.Select(node => node.DropAsync()));
        var lost = Enumerable.Range(0, 10).Select(_ => new TestProposal(new byte[3000])).ToList();
        foreach (var proposal in lost)
        {
            Assert.True(deposed.Running.TryPropose(proposal, out var failure), $"{failure}");
        }

        await Task.WhenAll(lost.Select(proposal => proposal.Outcome));
        await deposed.DropAsync();
        others.ForEach(node => node.Start());
        await cluster.ProposeAsync("elsewhere");
        deposed.Start();
        var after = await cluster.ProposeAsync("after");

        await cluster.WaitUntilEqualAsync(after);
        Assert.Contains(deposed.Log.Lines, line => line.Contains("LogTruncated", StringComparison.Ordinal));
        Assert.Equal(["before", "elsewhere", "after"], deposed.Machine.Messages.Select(message => message.Body));
        await deposed.DropAsync();
        deposed.Start();
        await cluster.WaitUntilEqualAsync(after);
    }

    [Fact]
    public async Task Silent_nodes_of_a_cluster_keep_their_leader_and_do_not_write_to_their_disks()
    {
        await using var cluster = new TestCluster(3);
        var disks = new List<TrippingDisk>();
        foreach (var node in cluster.Nodes)
        {
            node.WrapDisk = inner =>
            {
                disks.Add(new TrippingDisk(inner));
                return disks[^1];
            };
            node.Start();
        }

        var last = await cluster.ProposeAsync("the last one");
        await cluster.WaitUntilEqualAsync(last);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        await timer.WaitForNextTickAsync();
        var term = cluster.Nodes[0].Running.Status.Term;

        var before = disks.Select(disk => disk.Counts).ToList();
        await timer.WaitForNextTickAsync();

        // On a starved machine an election may come; without one nothing is written.
        Assert.True(
            cluster.Nodes.Any(node => node.Running.Status.Term != term)
            || before.SequenceEqual(disks.Select(disk => disk.Counts)));
    }

    [Fact]
    public async Task Under_load_with_leaders_killed_nothing_acknowledged_is_lost_or_doubled()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.WaitForLeaderAsync();
        await using var load = new ProducerLoad(cluster, 8);

        for (var round = 0; round < 4; round++)
        {
            await load.ProgressAsync(300);
            var leader = await cluster.WaitForLeaderAsync();
            var killedAt = TimeProvider.System.GetTimestamp();
            var dropped = leader.DropAsync();
            await Eventually.TrueAsync(() => cluster.FindLeader() is not null, "a new leader serves", cluster.Describe);
            var gap = TimeProvider.System.GetElapsedTime(killedAt);
            output.WriteLine($"a new leader serves after {gap.TotalMilliseconds:F0} ms");
            await dropped;
            leader.Start();
        }

        await load.StopAsync();
        var last = await cluster.ProposeAsync("last");
        await cluster.WaitUntilEqualAsync(last);
        var acked = load.Acked;
        Assert.Equal(acked.Count, acked.DistinctBy(message => message.Item1).Count());
        foreach (var node in cluster.Nodes)
        {
            Assert.Superset(acked.ToHashSet(), node.Machine.Messages.ToHashSet());
        }
    }

    private static async Task<List<(LogPosition Position, string Body)>> ProposeManyAsync(
        TestCluster cluster, string prefix, int count)
    {
        var acked = new List<(LogPosition, string)>();
        for (var i = 0; i < count; i++)
        {
            var body = $"{prefix} {i}";
            acked.Add((await cluster.ProposeAsync(body), body));
        }

        return acked;
    }
}
