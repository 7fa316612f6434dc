using Dledger.Primitives;
using Dledger.Replication.Bulk;
using Dledger.Replication.Tests.Clusters;

namespace Dledger.Replication.Tests.Bulk;

public sealed class BulkServerTests
{
    [Fact]
    public async Task Committed_frames_come_whole_and_nothing_else_comes()
    {
        await using var cluster = TestCluster.Started(3);
        var last = await cluster.ProposeAsync("message");
        await cluster.WaitUntilEqualAsync(last);
        var leader = await cluster.WaitForLeaderAsync();
        var follower = cluster.Nodes.First(node => node != leader);
        await follower.DropAsync();
        await using var asker = new BulkAsker(follower);

        var found = await asker.AskAsync(leader.Self, new ReadLogRange(LogPosition.Zero, 1 << 20));
        var tiny = await asker.AskAsync(leader.Self, new ReadLogRange(LogPosition.Zero, 1));
        var inside = await asker.AskAsync(leader.Self, new ReadLogRange(new LogPosition(8), 1 << 20));
        var behind = await asker.AskAsync(
            leader.Self, new ReadLogRange(leader.Running.Status.Commit, 1 << 20));

        Assert.Equal(BulkOutcome.Found, found!.Outcome);
        Assert.Equal(leader.Running.Status.Commit - LogPosition.Zero, found.Bytes.Length);
        Assert.Equal(BulkOutcome.Found, tiny!.Outcome);
        Assert.InRange(tiny.Bytes.Length, 64, found.Bytes.Length - 1);
        Assert.Equal(found.Bytes[..tiny.Bytes.Length].ToArray(), tiny.Bytes.ToArray());
        Assert.Equal(BulkOutcome.NotThere, inside!.Outcome);
        Assert.Equal(BulkOutcome.NotThere, behind!.Outcome);
    }

    [Fact]
    public async Task A_node_that_cannot_be_reached_or_does_not_know_the_asker_gives_no_answer()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("message");
        var leader = await cluster.WaitForLeaderAsync();
        var followers = cluster.Nodes.Where(node => node != leader).ToList();
        await followers[0].DropAsync();
        await using var stranger = new BulkAsker(followers[0], Guid.NewGuid());

        Assert.Null(await stranger.AskAsync(leader.Self, new ReadLogRange(LogPosition.Zero, 1 << 20)));

        await followers[1].DropAsync();
        Assert.Null(await stranger.AskAsync(followers[1].Self, new ReadLogRange(LogPosition.Zero, 1 << 20)));
    }
}
