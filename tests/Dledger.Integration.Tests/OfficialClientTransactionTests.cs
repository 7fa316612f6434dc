using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>Transactions of the official Node.js client, decided by its application or by its checker.</summary>
public sealed class OfficialClientTransactionTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_was_committed_comes_and_what_was_rolled_back_does_not(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        await using var producer = await SdkScript.StartAsync("producer.mjs", cluster.Nodes[0].Address, topic, "unknown");
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        await producer.AskAsync("sendInTransaction", new { body = "rolled back", end = "rollback" });
        await producer.AskAsync("sendInTransaction", new { body = "committed", end = "commit" });
        var received = await consumer.DrainAsync(1);
        var rest = await consumer.ReceiveAsync();

        Assert.Equal(["committed"], received.Select(delivery => delivery.Body));
        Assert.Empty(rest);
    }

    [Theory]
    [InlineData("commit", new[] { "undecided" })]
    [InlineData("rollback", new string[0])]
    public async Task What_was_left_undecided_is_decided_by_the_checker(string decision, string[] expected)
    {
        var (cluster, topic, group) = await PrepareAsync(3);
        await using var producer = await SdkScript.StartAsync("producer.mjs", cluster.Nodes[0].Address, topic, decision);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);
        var sent = await producer.AskAsync("sendInTransaction", new { body = "undecided" });

        await Eventually.TrueAsync("a check", Patience, () => Task.FromResult(producer.Deliveries.Count > 0));
        var check = producer.Deliveries.First();
        var received = await consumer.ReceiveAsync();

        Assert.Equal(sent.GetProperty("messageId").GetString(), check.MessageId);
        Assert.Equal("undecided", check.Body);
        Assert.Equal(expected, received.Select(delivery => delivery.Body));
    }

    private async Task<(NodeCluster Cluster, string Topic, string Group)> PrepareAsync(int nodeCount)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic, "--type", "Transaction");
        await cluster.CommandAsync("group", "create", group);
        return (cluster, topic, group);
    }
}
