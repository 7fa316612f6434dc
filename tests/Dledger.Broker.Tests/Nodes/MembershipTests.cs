using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Tests.Nodes;

/// <summary>Members change while the log loses its beginning: who they are is known although no frame says it any more.</summary>
public sealed class MembershipTests
{
    private const int BodyBytes = 30_000;

    private static readonly BrokerOptions Options = new()
    {
        RetentionTime = TimeSpan.Zero,
        RetentionBytes = 2 * BrokerCluster.SegmentBytes,
        CheckpointBytes = 1 << 20,
        CheckpointInterval = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public async Task A_wiped_voter_is_replaced_although_the_log_begins_behind_its_founding()
    {
        await using var cluster = new BrokerCluster(Options);
        var leader = await PrepareAsync(cluster);
        var wiped = cluster.Nodes.First(node => node != leader);
        var storage = StorageOf(cluster, leader, wiped);
        await cluster.DropAsync(wiped);
        await cluster.SendUntilStartPassesAsync("t", cluster.Log(leader).Status.End, BodyBytes);
        cluster.Wipe(wiped);

        cluster.Start(wiped);

        await cluster.WaitAsync(
            () => StorageOf(cluster, leader, wiped) is var present && present != storage && present != Guid.Empty
                && cluster.Log(leader).Status.Members.All(member => member.Role == MemberRole.Voter),
            "the new directory is a voter's");
        await cluster.SendAsync("t", 3, BodyBytes);
        await cluster.WaitUntilEqualAsync();
        Assert.True(cluster.Log(wiped).Segments[0].Base > LogPosition.Zero, "the log came with a snapshot");
        Assert.Single(cluster.Nodes.Select(node => cluster.Broker(node).Machine.StateHash).Distinct());
    }

    [Fact]
    public async Task Members_that_only_frames_given_up_long_ago_named_are_known_after_a_restart_and_to_a_node_that_comes_later()
    {
        await using var cluster = new BrokerCluster(Options);
        var leader = await PrepareAsync(cluster);
        var moved = cluster.Nodes.First(node => node != leader);
        await ChangeAsync(cluster, MembershipChange.Remove(moved));
        await cluster.DropAsync(moved);
        cluster.Wipe(moved);
        await cluster.SendUntilStartPassesAsync("t", cluster.Log(leader).Status.End, BodyBytes);
        await cluster.WaitUntilEqualAsync();
        var staying = cluster.Nodes.Where(node => node != moved).ToList();
        foreach (var node in staying)
        {
            await cluster.DropAsync(node);
        }

        staying.ForEach(cluster.Start);
        leader = await cluster.WaitForLeaderAsync();
        Assert.Equal(staying, cluster.Log(leader).Status.Members.Select(member => member.Node));

        // It fetches a snapshot; the founding, which is all that it knows, named it a voter with another directory.
        cluster.Start(moved);
        await ChangeAsync(cluster, MembershipChange.Add(cluster.PlaceOf(moved)));

        await cluster.WaitUntilEqualAsync();
        var members = cluster.Log(leader).Status.Members;
        Assert.Equal(3, members.Count);
        Assert.True(cluster.Log(moved).Segments[0].Base > LogPosition.Zero, "the log came with a snapshot");
        Assert.Equal(
            members.Select(member => (member.Node, member.StorageId)),
            cluster.Log(moved).Status.Members.Select(member => (member.Node, member.StorageId)));
        await cluster.DropAsync(moved);
        cluster.Start(moved);
        await cluster.WaitUntilEqualAsync();
        await cluster.WaitAsync(() => cluster.Log(moved).Status.Members.Count == 3, "the node knows the members again");
    }

    /// <summary>Who leads once something is stored everywhere.</summary>
    private static async Task<NodeId> PrepareAsync(BrokerCluster cluster)
    {
        await cluster.CreateTopicAsync("t");
        await cluster.SendAsync("t", 10, BodyBytes);
        await cluster.WaitUntilEqualAsync();
        return await cluster.WaitForLeaderAsync();
    }

    /// <summary>Asks whoever leads until the change is done; one that lost its leader on the way goes on.</summary>
    private static async Task ChangeAsync(BrokerCluster cluster, MembershipChange change)
    {
        while (true)
        {
            var leader = await cluster.WaitForLeaderAsync();
            var outcome = await cluster.Log(leader).ChangeMembershipAsync(
                change, TimeSpan.FromSeconds(40), CancellationToken.None);
            if (outcome.Kind == MembershipOutcomeKind.Done)
            {
                return;
            }

            Assert.True(outcome.Kind is MembershipOutcomeKind.NotLeader or MembershipOutcomeKind.Unknown, $"{outcome}");
        }
    }

    private static Guid StorageOf(BrokerCluster cluster, NodeId seenFrom, NodeId node) =>
        cluster.Log(seenFrom).Status.Members.LastOrDefault(member => member.Node == node)?.StorageId ?? Guid.Empty;
}
