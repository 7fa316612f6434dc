using Dledger.Broker.Groups;
using Dledger.Broker.Receiving;

namespace Dledger.Broker.Tests.Nodes;

public sealed class SnapshotTests
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
    public async Task A_follower_behind_the_start_of_the_log_gets_a_snapshot_and_can_lead_then()
    {
        await using var cluster = new BrokerCluster(Options);
        await cluster.CreateTopicAsync("t");
        await cluster.AskLeaderAsync(
            broker => broker.CreateGroupAsync(new GroupSpec { Name = "g" }, CancellationToken.None),
            failure => failure?.Error == BrokerError.AlreadyExists ? null : failure);
        await cluster.SendAsync("t", 10, BodyBytes);
        var leader = await cluster.WaitForLeaderAsync();
        var away = cluster.Nodes.First(node => node != leader);
        await cluster.WaitUntilEqualAsync();
        var awayEnd = cluster.Log(away).Status.End;
        await cluster.DropAsync(away);

        await cluster.SendUntilStartPassesAsync("t", awayEnd, BodyBytes);
        var receipt = (await ReceiveAsync(cluster)).Messages[0].ReceiptHandle;
        cluster.Start(away);

        await cluster.SendAsync("t", 5, BodyBytes);
        await cluster.WaitUntilEqualAsync();
        await cluster.WaitAsync(
            () => cluster.Log(away).Segments.Count > 0 && cluster.Log(away).Segments[0].Base > awayEnd,
            "the log of the node that was away begins behind what it had");
        await cluster.LeadAsync(away);
        await cluster.AskLeaderAsync(
            async broker => Assert.Single(await broker.AckAsync("g", "t", [receipt], CancellationToken.None)),
            outcome => outcome.Failure);
        await cluster.SendAsync("t", 1, BodyBytes);
        await cluster.WaitUntilEqualAsync();
        Assert.Single(cluster.Nodes.Select(node => cluster.Broker(node).Machine.StateHash).Distinct());
        Assert.NotEmpty((await ReceiveAsync(cluster)).Messages);
    }

    private static Task<ReceiveOutcome> ReceiveAsync(BrokerCluster cluster) => cluster.AskLeaderAsync(
        broker => broker.ReceiveAsync(
            new ReceiveRequest
            {
                Group = "g",
                Topic = "t",
                BatchSize = 1,
                InvisibleDuration = TimeSpan.FromMinutes(5),
            },
            CancellationToken.None),
        outcome => outcome.Failure);
}
