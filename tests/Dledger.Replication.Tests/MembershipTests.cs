using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;

namespace Dledger.Replication.Tests;

/// <summary>Section 2.19 with real nodes: who is a member changes while the cluster works.</summary>
public sealed class MembershipTests
{
    [Fact]
    public async Task A_node_added_under_load_becomes_a_voter_with_everything_and_an_old_one_can_leave()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.WaitForLeaderAsync();
        await using var load = new ProducerLoad(cluster, 4);
        await load.ProgressAsync(200);

        var fourth = cluster.Prepare();
        fourth.Start();
        await cluster.ChangeAsync(MembershipChange.Add(fourth.Place));
        await load.ProgressAsync(200);
        var leaving = cluster.Nodes.First(node => node != cluster.FindLeader() && node != fourth);
        await cluster.ChangeAsync(MembershipChange.Remove(leaving.Self));
        await load.ProgressAsync(200);

        await load.StopAsync();
        Assert.Equal(
            cluster.Nodes.Where(node => node != leaving).Select(node => node.Self),
            (await cluster.WaitForLeaderAsync()).Running.Status.Members.Select(member => member.Node));
        await Eventually.TrueAsync(
            () => !leaving.Running.Status.IsMember, "the removed node knows that it is removed", cluster.Describe);
        await leaving.DropAsync();
        var last = await cluster.ProposeAsync("last");
        await cluster.WaitUntilEqualAsync(last);
        Assert.Superset(load.Acked.ToHashSet(), fourth.Machine.Messages.ToHashSet());
        Assert.All(fourth.Running.Status.Members, member => Assert.Equal(MemberRole.Voter, member.Role));
    }

    [Fact]
    public async Task Members_are_known_after_a_restart_of_all_nodes()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var fourth = cluster.Prepare();
        fourth.Start();
        await cluster.ChangeAsync(MembershipChange.Add(fourth.Place));
        await cluster.ChangeAsync(MembershipChange.Remove(new NodeId(1)));
        await cluster.Nodes[0].DropAsync();

        await Task.WhenAll(cluster.RunningNodes.ToList().Select(node => node.DropAsync()));
        foreach (var node in cluster.Nodes.Skip(1))
        {
            node.Start();
        }

        await cluster.ProposeAsync("after");
        var leader = await cluster.WaitForLeaderAsync();
        Assert.Equal([2, 3, 4], leader.Running.Status.Members.Select(member => member.Node.Value));

        // Two of three are a majority, with the node that no options but its own name among them.
        await cluster.Nodes[1].DropAsync();
        var last = await cluster.ProposeAsync("without node 2");
        await cluster.WaitUntilEqualAsync(last);
    }

    [Fact]
    public async Task A_leader_that_removes_itself_is_followed_by_another_one()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();

        var outcome = await leader.Running.ChangeMembershipAsync(
            MembershipChange.Remove(leader.Self), TimeSpan.FromSeconds(20), CancellationToken.None);

        Assert.Equal(MembershipOutcomeKind.Done, outcome.Kind);
        await Eventually.TrueAsync(
            () => cluster.FindLeader() is { } next && next != leader, "another one leads", cluster.Describe);
        await cluster.ProposeAsync("after");
        Assert.False(leader.Running.Status.IsMember);
        await cluster.ChangeAsync(MembershipChange.Remove(leader.Self));
    }

    [Fact]
    public async Task A_removed_node_stays_quiet()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var removed = cluster.Nodes.First(node => node != leader);
        await cluster.ChangeAsync(MembershipChange.Remove(removed.Self));
        await cluster.ProposeAsync("after");
        var term = leader.Running.Status.Term;

        // It comes back without having heard of its removal in this life, and waits several election timeouts.
        await removed.DropAsync();
        removed.Start();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(3));
        await timer.WaitForNextTickAsync();

        Assert.True(removed.Running.Status.Term <= term, cluster.Describe());
        Assert.Equal(leader.Self, (await cluster.WaitForLeaderAsync()).Self);
        Assert.Equal(term, leader.Running.Status.Term);
        Assert.NotEqual(ReplicationRole.Leader, removed.Running.Status.Role);
    }

    [Fact]
    public async Task A_wiped_voter_is_replaced_by_itself_under_load_and_counts_again()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        await using var load = new ProducerLoad(cluster, 4);
        await load.ProgressAsync(200);
        var leader = await cluster.WaitForLeaderAsync();
        var wiped = cluster.Nodes.First(node => node != leader);
        var storage = StorageOf(leader, wiped);
        await wiped.DropAsync();
        Directory.Delete(wiped.Directory, recursive: true);

        wiped.Start();

        await Eventually.TrueAsync(
            () => cluster.FindLeader() is { } now && StorageOf(now, wiped) is var present && present != storage
                && now.Running.Status.Members is { Count: 3 } members
                && members.All(member => member.Role == MemberRole.Voter),
            "the new directory has taken the old one's place",
            cluster.Describe);
        await load.ProgressAsync(100);
        await load.StopAsync();
        var third = cluster.Nodes.First(node => node != wiped && node != cluster.FindLeader());
        await third.DropAsync();
        var last = await cluster.ProposeAsync("with the replaced one");
        await cluster.WaitUntilEqualAsync(last);
        Assert.Superset(load.Acked.ToHashSet(), wiped.Machine.Messages.ToHashSet());
    }

    [Fact]
    public async Task A_wiped_voter_is_replaced_although_leadership_went_away_and_came_back_meanwhile()
    {
        await using var cluster = TestCluster.Started(3);
        var before = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(before);
        var leader = await cluster.WaitForLeaderAsync();
        var wiped = cluster.Nodes.First(node => node != leader);
        var third = cluster.Nodes.First(node => node != leader && node != wiped);
        var storage = StorageOf(leader, wiped);
        await wiped.DropAsync();
        Directory.Delete(wiped.Directory, recursive: true);
        wiped.Start();
        await Eventually.TrueAsync(
            () => wiped.Running.Status.Leader == leader.Self, "the wiped node hears the leader", cluster.Describe);

        // Within the time that it must be seen with another directory, and without any new connection.
        Assert.True(await leader.Running.TransferLeadershipAsync(third.Self, CancellationToken.None));
        await Eventually.TrueAsync(() => third.Running.Status.IsServing, "the third serves", cluster.Describe);
        Assert.True(await third.Running.TransferLeadershipAsync(leader.Self, CancellationToken.None));

        await Eventually.TrueAsync(
            () => cluster.FindLeader() is { } now && StorageOf(now, wiped) is var present && present != storage
                && now.Running.Status.Members.All(member => member.Role == MemberRole.Voter),
            "the new directory has taken the old one's place",
            cluster.Describe);
    }

    [Fact]
    public async Task A_wiped_founder_with_the_lowest_number_founds_no_second_cluster()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var clusterId = cluster.Nodes[1].Running.ClusterId;
        var wiped = cluster.Nodes[0];
        await wiped.DropAsync();
        Directory.Delete(wiped.Directory, recursive: true);
        await cluster.Nodes[1].DropAsync();
        await cluster.Nodes[2].DropAsync();

        wiped.Start();
        await Eventually.TrueAsync(
            () => wiped.Running.Status.UnavailableReason?.StartsWith("no cluster", StringComparison.Ordinal) == true,
            "the wiped node waits for the others");
        cluster.Nodes[1].Start();
        cluster.Nodes[2].Start();

        await cluster.ProposeAsync("after");
        await Eventually.TrueAsync(
            () => wiped.Running.ClusterId == clusterId, "it took the cluster's identity", cluster.Describe);
        Assert.Equal(clusterId, cluster.Nodes[1].Running.ClusterId);
    }

    [Fact]
    public async Task A_change_that_cannot_be_done_is_refused_with_the_reason()
    {
        await using var alone = TestCluster.Started(1);
        var single = await alone.WaitForLeaderAsync();
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var follower = cluster.Nodes.First(node => node != leader);
        await Eventually.TrueAsync(
            () => follower.Running.Status.Leader == leader.Self, "the follower knows the leader", cluster.Describe);

        var last = await AskAsync(single, MembershipChange.Remove(single.Self));
        var elsewhere = await AskAsync(leader, MembershipChange.Add(follower.Place with { PeerPort = 1 }));
        var notLeader = await AskAsync(follower, MembershipChange.Remove(leader.Self));
        var nobody = await AskAsync(leader, MembershipChange.Add(new ClusterMember(new NodeId(9), "127.0.0.1", 1)));

        Assert.Equal(MembershipOutcomeKind.Refused, last.Kind);
        Assert.Contains("the only voter", last.Reason, StringComparison.Ordinal);
        Assert.Equal(MembershipOutcomeKind.Refused, elsewhere.Kind);
        Assert.Contains($"node {follower.Self} is", elsewhere.Reason, StringComparison.Ordinal);
        Assert.Equal((MembershipOutcomeKind.NotLeader, leader.Self), (notLeader.Kind, notLeader.Leader));
        Assert.Equal(MembershipOutcomeKind.Pending, nobody.Kind);
        Assert.Contains("cannot be reached at 127.0.0.1:1", nobody.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removal_that_would_leave_no_majority_waits_and_the_cluster_works_on()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var others = cluster.Nodes.Where(node => node != leader).ToList();
        await others[0].DropAsync();
        await Eventually.TrueAsync(
            () => leader.Running.Status.Peers.Any(peer => peer.Node == others[0].Self && !peer.IsConnected),
            "the leader misses the node",
            cluster.Describe);

        var outcome = await AskAsync(leader, MembershipChange.Remove(others[1].Self));

        Assert.Equal(MembershipOutcomeKind.Pending, outcome.Kind);
        Assert.Contains("2 are needed", outcome.Reason, StringComparison.Ordinal);
        await cluster.ProposeAsync("after");
        await cluster.ChangeAsync(MembershipChange.Remove(others[0].Self));
    }

    [Fact]
    public async Task A_new_node_takes_its_cluster_only_from_nodes_that_it_was_told_of_and_an_address_can_be_corrected()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var fourth = cluster.Prepare();
        fourth.Options = fourth.Options with { Members = [fourth.Place, new ClusterMember(new NodeId(9), "127.0.0.1", 1)] };
        fourth.Start();

        await AskAsync(leader, MembershipChange.Add(fourth.Place with { PeerPort = 1 }));
        var outcome = await leader.Running.ChangeMembershipAsync(
            MembershipChange.Add(fourth.Place), TimeSpan.FromSeconds(3), CancellationToken.None);

        Assert.Equal(MembershipOutcomeKind.Pending, outcome.Kind);
        Assert.Contains("which is new, was configured with", outcome.Reason, StringComparison.Ordinal);
        Assert.Equal(Guid.Empty, fourth.Running.ClusterId);
        await fourth.DropAsync();
        fourth.Options = fourth.Options with { Members = [.. cluster.Nodes[0].Options.Members, fourth.Place] };
        fourth.Start();
        await cluster.ChangeAsync(MembershipChange.Add(fourth.Place));
    }

    [Fact]
    public async Task A_drained_node_hands_over_and_does_not_lead_again_until_it_may()
    {
        await using var cluster = TestCluster.Started(3);
        var first = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(first);
        var drained = await cluster.WaitForLeaderAsync();

        Assert.True(await drained.Running.DrainAsync(isDrained: true, CancellationToken.None));

        await Eventually.TrueAsync(
            () => cluster.FindLeader() is { } next && next != drained, "another one leads", cluster.Describe);
        Assert.True(drained.Running.Status.IsDrained);
        var second = await cluster.WaitForLeaderAsync();
        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        await second.DropAsync();
        Assert.NotEqual(drained, await cluster.WaitForLeaderAsync());
    }

    private static Task<MembershipOutcome> AskAsync(TestNode node, MembershipChange change) =>
        node.Running.ChangeMembershipAsync(change, TimeSpan.FromMilliseconds(300), CancellationToken.None);

    private static Guid StorageOf(TestNode seenFrom, TestNode node) =>
        seenFrom.Running.Status.Members.FirstOrDefault(member => member.Node == node.Self)?.StorageId ?? Guid.Empty;
}
