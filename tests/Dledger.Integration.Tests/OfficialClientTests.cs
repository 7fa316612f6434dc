using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>The official Node.js client, unmodified, against one node and against three.</summary>
/// <remarks>With three nodes producer and consumer talk to different ones, so at least one of them does not lead.</remarks>
public sealed class OfficialClientTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    private const int Gzip = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_simple_consumer_receives_what_a_producer_sent_with_all_that_goes_with_it(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        var sent = await producer.SendAsync(new
        {
            body = "grüße",
            tag = "blue",
            keys = new[] { "k1", "k2" },
            properties = new Dictionary<string, string> { ["shade"] = "navy" },
        });
        var received = Assert.Single(await consumer.DrainAsync(1));

        Assert.Equal(sent.MessageId, received.MessageId);
        Assert.Equal(sent.Offset, received.Offset);
        Assert.Equal(("grüße", "blue", 1, false), (received.Body, received.Tag, received.Attempt, received.Corrupted));
        Assert.Equal(["k1", "k2"], received.Keys);
        Assert.Equal("navy", received.Properties["shade"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Messages_of_one_producer_fill_the_queues_densely_and_in_the_order_of_the_sends(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount, queues: 4);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        for (var i = 0; i < 40; i++)
        {
            await producer.SendAsync(new { body = $"{i:00}" });
        }

        var received = await consumer.DrainAsync(40);

        Assert.Equal(40, received.Select(delivery => delivery.Body).Distinct().Count());
        foreach (var queue in received.GroupBy(delivery => delivery.QueueId))
        {
            var byOffset = queue.OrderBy(delivery => delivery.Offset).ToList();
            Assert.Equal(Enumerable.Range(0, byOffset.Count).Select(n => (long)n), byOffset.Select(delivery => delivery.Offset));
            Assert.Equal(byOffset.Select(delivery => delivery.Body).Order(StringComparer.Ordinal), byOffset.Select(delivery => delivery.Body));
        }

        Assert.Equal([0, 1, 2, 3], received.Select(delivery => delivery.QueueId).Distinct().Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_push_consumer_receives_each_message_once_while_nothing_fails(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        await using var consumer = await SdkScript.StartPushConsumerAsync(cluster.Nodes[^1].Address, group, topic);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);

        var sent = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            sent.Add((await producer.SendAsync(new { body = $"{i}" })).MessageId);
        }

        await WaitForDeliveriesAsync(consumer, 50);
        await Eventually.TrueAsync("everything is acknowledged", Patience, async () => await LagAsync(cluster, group) == 0);

        Assert.Equal(sent.Order(), consumer.Deliveries.Select(delivery => delivery.MessageId).Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_message_that_is_not_acked_comes_again_after_the_invisible_duration(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);
        var sent = await producer.SendAsync(new { body = "again" });

        var first = await ReceiveOneAsync(consumer, invisibleMilliseconds: 10_000);
        var between = await consumer.ReceiveAsync();
        var second = await ReceiveOneAsync(consumer, invisibleMilliseconds: 10_000);
        await Assert.ThrowsAsync<SdkException>(() => consumer.AckAsync(first));
        await consumer.AckAsync(second);

        Assert.Empty(between);
        Assert.Equal((sent.MessageId, 1), (first.MessageId, first.Attempt));
        Assert.Equal((sent.MessageId, 2, first.QueueId, first.Offset), (second.MessageId, second.Attempt, second.QueueId, second.Offset));
    }

    [Fact]
    public async Task A_message_given_back_by_its_consumer_comes_again_before_its_time()
    {
        var (cluster, topic, group) = await PrepareAsync(1);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Address, group, topic);
        await producer.SendAsync(new { body = "back" });

        var first = await ReceiveOneAsync(consumer, invisibleMilliseconds: 600_000);
        await consumer.AskAsync("changeInvisible", new { first.ReceiptHandle, milliseconds = 1_000 });
        var second = await ReceiveOneAsync(consumer, invisibleMilliseconds: 600_000);

        Assert.Equal((first.MessageId, 2), (second.MessageId, second.Attempt));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_message_that_fails_every_time_ends_in_the_dead_letter_queue(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount, groupOptions: ["--max-attempts", "2", "--backoff", "1"]);
        var deadLetters = $"%DLQ%{group}";
        await using var consumer = await SdkScript.StartPushConsumerAsync(
            cluster.Nodes[^1].Address, group, topic, failingAttempts: 1_000);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);

        await producer.SendAsync(new { body = "poison", tag = "green" });
        await Eventually.TrueAsync("the dead letter topic exists", Patience, async () =>
            (await cluster.CommandAsync("topic", "list", "--all", "--json")).Output.Contains(deadLetters, StringComparison.Ordinal));
        await cluster.CommandAsync("group", "create", $"{group}-undertakers");
        await using var undertaker = await SdkScript.StartSimpleConsumerAsync(
            cluster.Nodes[0].Address, $"{group}-undertakers", deadLetters);
        var dead = Assert.Single(await undertaker.DrainAsync(1));

        Assert.Equal(("poison", "green"), (dead.Body, dead.Tag));
        Assert.Equal([1, 2], consumer.Deliveries.Select(delivery => delivery.Attempt).Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_consumer_of_some_tags_receives_no_others(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(
            cluster.Nodes[^1].Address, group, topic, tags: "red || green");

        foreach (var tag in new[] { "red", "blue", "green", "blue", "red" })
        {
            await producer.SendAsync(new { body = tag, tag });
        }

        await producer.SendAsync(new { body = "without a tag" });
        var received = await consumer.DrainAsync(3);
        var rest = await consumer.ReceiveAsync();

        Assert.Equal(["green", "red", "red"], received.Select(delivery => delivery.Tag).Order(StringComparer.Ordinal));
        Assert.Empty(rest);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_gzip_body_is_stored_as_sent_and_arrives_unpacked(int nodeCount)
    {
        var (cluster, topic, group) = await PrepareAsync(nodeCount);
        var body = string.Concat(Enumerable.Repeat("again and ", 1_000));
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        await producer.AskAsync("sendCompressed", new { body });
        var received = Assert.Single(await consumer.DrainAsync(1));

        Assert.Equal(body, received.Body);
        Assert.Equal((Gzip, false), (received.BodyEncoding, received.Corrupted));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_transaction_is_committed_rolled_back_or_decided_when_its_producer_is_asked(int nodeCount)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic, "--queues", "1", "--type", "transaction");
        await cluster.CommandAsync("group", "create", group);
        await cluster.CommandAsync("txn", "checks", topic, "--first", "1s", "--interval", "1s");
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        await producer.SendTransactionAsync(new { body = "rolled back", resolution = "rollback" });
        await producer.SendTransactionAsync(new { body = "committed", resolution = "commit" });
        await producer.SendTransactionAsync(new
        {
            body = "committed when asked",
            properties = new Dictionary<string, string> { ["whenAsked"] = "commit" },
        });
        await producer.SendTransactionAsync(new
        {
            body = "rolled back when asked",
            properties = new Dictionary<string, string> { ["whenAsked"] = "rollback" },
        });

        var received = await consumer.DrainAsync(2);

        Assert.Equal(["committed", "committed when asked"], received.Select(delivery => delivery.Body));
        await Eventually.TrueAsync("all are decided", Patience, async () =>
            (await cluster.CommandAsync("txn", "list", "--topic", topic, "--json")).Json
                .GetProperty("transactions").GetArrayLength() == 0);
        Assert.Empty(await consumer.ReceiveAsync());
    }

    [Fact]
    public async Task A_message_without_a_body_is_refused_and_nothing_is_stored()
    {
        var (cluster, topic, _) = await PrepareAsync(1);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Address, topic);

        var refusal = await Assert.ThrowsAsync<SdkException>(() => producer.SendAsync(new { body = "" }));
        var described = (await cluster.CommandAsync("topic", "describe", topic, "--json")).Json;

        Assert.Contains("41302", refusal.Message);
        Assert.All(described.GetProperty("queues").EnumerateArray(), queue => Assert.Equal(0, queue.GetProperty("maxOffset").GetInt64()));
    }

    private static async Task<Delivery> ReceiveOneAsync(SdkScript consumer, int invisibleMilliseconds) =>
        await Eventually.FindAsync("a message arrives", Patience, async () =>
            (await consumer.ReceiveAsync(1, invisibleMilliseconds)).SingleOrDefault());

    private static Task WaitForDeliveriesAsync(SdkScript consumer, int count) => Eventually.TrueAsync(
        $"{count} deliveries", Patience, () => Task.FromResult(consumer.Deliveries.Count >= count));

    private static async Task<long> LagAsync(NodeCluster cluster, string group) =>
        (await cluster.CommandAsync("group", "describe", group, "--json")).Json.GetProperty("lagCount").GetInt64();

    private async Task<(NodeCluster Cluster, string Topic, string Group)> PrepareAsync(
        int nodeCount, int queues = 4, string[]? groupOptions = null)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic, "--queues", $"{queues}");
        await cluster.CommandAsync(["group", "create", group, .. groupOptions ?? []]);
        return (cluster, topic, group);
    }
}
