using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Primitives;

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
        var leader = await cluster.WaitForLeaderAsync();
        await CreateAsync(cluster, leader);
        await SendAsync(cluster, leader, 10);
        var away = cluster.Nodes.First(node => node != leader);
        await cluster.WaitUntilEqualAsync();
        var awayEnd = cluster.Log(away).Status.End;
        await cluster.DropAsync(away);

        await SendUntilStartPassesAsync(cluster, leader, awayEnd);
        var receipt = await ReceiveOneAsync(cluster, leader);
        cluster.Start(away);

        await SendAsync(cluster, leader, 5);
        await cluster.WaitUntilEqualAsync();
        await cluster.WaitAsync(
            () => cluster.Log(away).Segments.Count > 0 && cluster.Log(away).Segments[0].Base > awayEnd,
            "the log of the node that was away begins behind what it had");
        await TransferAsync(cluster, away);
        await cluster.WaitAsync(() => cluster.Log(away).Status.IsServing, "the node that was away leads");
        await AckAsync(cluster, away, receipt);
        await SendAsync(cluster, away, 1);
        await cluster.WaitUntilEqualAsync();
        Assert.Single(cluster.Nodes.Select(node => cluster.Broker(node).Machine.StateHash).Distinct());
        Assert.NotEmpty(await ReceiveAsync(cluster, away));
    }

    // An attempt may fail, for example while the disk of the target is slow.
    private static async Task TransferAsync(BrokerCluster cluster, NodeId target)
    {
        const int AttemptCount = 10;
        for (var attempt = 0; attempt < AttemptCount; attempt++)
        {
            var leader = await cluster.WaitForLeaderAsync();
            if (leader == target || await cluster.Log(leader).TransferLeadershipAsync(target, CancellationToken.None))
            {
                return;
            }
        }

        Assert.Fail($"node {target} was not made the leader in {AttemptCount} attempts");
    }

    private static async Task SendUntilStartPassesAsync(BrokerCluster cluster, NodeId leader, LogPosition end)
    {
        for (var round = 0; cluster.Log(leader).Segments[0].Base <= end; round++)
        {
            Assert.True(round < 200, "the log's start never moves");
            await SendAsync(cluster, leader, 10);
        }
    }

    private static async Task CreateAsync(BrokerCluster cluster, NodeId node)
    {
        var topic = await cluster.Broker(node).CreateTopicAsync(
            new TopicSpec { Name = "t", QueueCount = 4 }, CancellationToken.None);
        var group = await cluster.Broker(node).CreateGroupAsync(new GroupSpec { Name = "g" }, CancellationToken.None);
        Assert.Null(topic);
        Assert.Null(group);
    }

    private static async Task SendAsync(BrokerCluster cluster, NodeId node, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var draft = new MessageDraft { MessageId = Guid.NewGuid().ToString("N"), Body = new byte[BodyBytes] };
            var outcome = await cluster.Broker(node).AppendAsync("t", [draft], CancellationToken.None);
            Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        }
    }

    private static async Task<IReadOnlyList<DeliveredMessage>> ReceiveAsync(BrokerCluster cluster, NodeId node)
    {
        var outcome = await cluster.Broker(node).ReceiveAsync(
            new ReceiveRequest
            {
                Group = "g",
                Topic = "t",
                BatchSize = 1,
                InvisibleDuration = TimeSpan.FromMinutes(5),
            },
            CancellationToken.None);
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return outcome.Messages;
    }

    private static async Task<string> ReceiveOneAsync(BrokerCluster cluster, NodeId node) =>
        (await ReceiveAsync(cluster, node))[0].ReceiptHandle;

    private static async Task AckAsync(BrokerCluster cluster, NodeId node, string handle)
    {
        var outcomes = await cluster.Broker(node).AckAsync("g", "t", [handle], CancellationToken.None);
        Assert.True(Assert.Single(outcomes).Succeeded, outcomes[0].Failure?.ToString());
    }
}
