using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>FIFO messages of the official Node.js client.</summary>
public sealed class OfficialClientOrderTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_push_consumer_of_an_ordered_group_gets_each_message_group_in_the_order_of_its_sends(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount, "Fifo", "--fifo");
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartPushConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        for (var i = 0; i < 30; i++)
        {
            await producer.SendAsync(new { body = $"{i:00}", messageGroup = $"group {i % 3}" });
        }

        await Eventually.TrueAsync("30 deliveries", Patience, () => Task.FromResult(consumer.Deliveries.Count >= 30));
        var bodies = consumer.Deliveries.Select(delivery => delivery.Body).ToArray();

        Assert.Equal(30, bodies.Distinct().Count());
        for (var messageGroup = 0; messageGroup < 3; messageGroup++)
        {
            var own = bodies.Where(body => int.Parse(body) % 3 == messageGroup).ToArray();
            Assert.Equal(own.Order(StringComparer.Ordinal), own);
        }
    }

    [Fact]
    public async Task A_message_group_comes_whole_and_in_order_although_its_first_message_fails_twice()
    {
        var (cluster, topic, group) = await PrepareAsync(1, "Fifo", "--fifo", "--backoff", "1");
        await using var producer = await SdkScript.StartProducerAsync(cluster.Address, topic);
        foreach (var body in new[] { "1", "2", "3" })
        {
            await producer.SendAsync(new { body, messageGroup = "together" });
        }

        await using var consumer = await SdkScript.StartPushConsumerAsync(cluster.Address, group, topic, failingAttempts: 2);
        await Eventually.TrueAsync("nine deliveries", Patience, () => Task.FromResult(consumer.Deliveries.Count >= 9));

        Assert.Equal(
            ["1", "1", "1", "2", "2", "2", "3", "3", "3"], consumer.Deliveries.Select(delivery => delivery.Body));
    }

    private async Task<(NodeCluster Cluster, string Topic, string Group)> PrepareAsync(
        int nodeCount, string type, params string[] groupOptions)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic, "--queues", "4", "--type", type);
        await cluster.CommandAsync(["group", "create", group, .. groupOptions]);
        return (cluster, topic, group);
    }
}
