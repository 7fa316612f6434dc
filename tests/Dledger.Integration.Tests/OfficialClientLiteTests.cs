using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>Lite topics with the official Node.js client.</summary>
public sealed class OfficialClientLiteTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_lite_consumer_is_given_the_lite_topics_that_it_subscribes_until_it_unsubscribes(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await StartConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        await consumer.AskAsync("subscribe", new { liteTopic = "one" });
        await producer.SendAsync(new { body = "1", liteTopic = "one" });
        await producer.SendAsync(new { body = "other", liteTopic = "two" });
        await DeliveredAsync(consumer, 1);
        await consumer.AskAsync("subscribe", new { liteTopic = "two" });
        await DeliveredAsync(consumer, 2);
        await consumer.AskAsync("unsubscribe", new { liteTopic = "one" });
        await producer.SendAsync(new { body = "unread", liteTopic = "one" });
        await producer.SendAsync(new { body = "2", liteTopic = "two" });
        await DeliveredAsync(consumer, 3);

        Assert.Equal(
            [("1", "one"), ("other", "two"), ("2", "two")],
            consumer.Deliveries.Select(delivery => (delivery.Body, delivery.LiteTopic!)));
        Assert.All(consumer.Deliveries, delivery => Assert.Equal(topic, delivery.Topic));
        var list = await cluster.CommandAsync("topic", "lite", "list", "--topic", topic, "--json");
        Assert.Contains("\"one\"", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_message_of_a_lite_topic_comes_again()
    {
        var (cluster, topic, group) = await PrepareAsync(1);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Address, topic);
        await producer.SendAsync(new { body = "m", liteTopic = "one" });

        await using var consumer = await StartConsumerAsync(cluster.Address, group, topic, failingAttempts: 1);
        await consumer.AskAsync("subscribe", new { liteTopic = "one" });
        await DeliveredAsync(consumer, 2);

        Assert.Equal(["m", "m"], consumer.Deliveries.Select(delivery => delivery.Body));
    }

    [Fact]
    public async Task The_group_bounds_the_set_of_a_client()
    {
        var (cluster, topic, group) = await PrepareAsync(1, "--lite-quota", "2");
        await using var consumer = await StartConsumerAsync(cluster.Address, group, topic);

        await consumer.AskAsync("subscribe", new { liteTopic = "one" });
        await consumer.AskAsync("subscribe", new { liteTopic = "two" });
        var refusal = await Assert.ThrowsAsync<SdkException>(() => consumer.AskAsync("subscribe", new { liteTopic = "three" }));

        Assert.Contains("quota exceeded 2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_lite_topic_is_made_anew_by_the_next_message_and_read_on()
    {
        var (cluster, topic, group) = await PrepareAsync(1);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Address, topic);
        await producer.SendAsync(new { body = "m", liteTopic = "one" });
        await using var consumer = await StartConsumerAsync(cluster.Address, group, topic);
        await consumer.AskAsync("subscribe", new { liteTopic = "one" });
        await DeliveredAsync(consumer, 1);

        await cluster.CommandAsync("topic", "lite", "delete", "one", "--topic", topic, "--yes");

        var list = await cluster.CommandAsync("topic", "lite", "list", "--topic", topic, "--json");
        await producer.SendAsync(new { body = "again", liteTopic = "one" });
        await DeliveredAsync(consumer, 2);

        Assert.DoesNotContain("\"one\"", list.Output, StringComparison.Ordinal);
        Assert.Equal(["m", "again"], consumer.Deliveries.Select(delivery => delivery.Body));
    }

    [Fact]
    public async Task A_killed_leader_costs_a_lite_consumer_no_message()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var (topic, group) = ("lites", "lite-readers");
        await cluster.CommandAsync("topic", "create", topic, "--type", "Lite");
        await cluster.CommandAsync("group", "create", group);
        NodeProcess? leader = null;
        await Eventually.TrueAsync("a leader", Patience, async () => (leader = await cluster.FindLeaderAsync()) is not null);
        var others = cluster.Nodes.Where(node => node != leader).ToArray();
        await using var producer = await SdkScript.StartProducerAsync(others[0].Address, topic);
        await using var consumer = await StartConsumerAsync(others[1].Address, group, topic);
        await consumer.AskAsync("subscribe", new { liteTopic = "one" });
        await producer.SendAsync(new { body = "before", liteTopic = "one" });
        await DeliveredAsync(consumer, 1);

        await leader!.KillAsync();
        await Eventually.TrueAsync("a message is taken", Patience, async () =>
        {
            try
            {
                await producer.SendAsync(new { body = "after", liteTopic = "one" });
                return true;
            }
            catch (SdkException)
            {
                return false;
            }
        });

        await Eventually.TrueAsync("it is delivered", Patience, () =>
            Task.FromResult(consumer.Deliveries.Any(delivery => delivery.Body == "after")));
    }

    private static Task<SdkScript> StartConsumerAsync(string address, string group, string topic, int failingAttempts = 0) =>
        SdkScript.StartAsync("lite-push-consumer.mjs", address, group, topic, $"{failingAttempts}");

    private static Task DeliveredAsync(SdkScript consumer, int count) => Eventually.TrueAsync(
        $"{count} deliveries", Patience, () => Task.FromResult(consumer.Deliveries.Count >= count));

    private async Task<(NodeCluster Cluster, string Topic, string Group)> PrepareAsync(int nodeCount, params string[] groupOptions)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var (topic, group) = (clusters.NewName("topic"), clusters.NewName("group"));
        await cluster.CommandAsync("topic", "create", topic, "--type", "Lite");
        await cluster.CommandAsync(["group", "create", group, .. groupOptions]);
        return (cluster, topic, group);
    }
}
