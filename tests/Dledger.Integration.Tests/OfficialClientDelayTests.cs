using System.Diagnostics;
using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>Delayed messages of the official Node.js client.</summary>
public sealed class OfficialClientDelayTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_delayed_message_comes_when_it_is_due_and_a_recalled_one_never(int nodeCount)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic, "--type", "Delay");
        await cluster.CommandAsync("group", "create", group);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartPushConsumerAsync(cluster.Nodes[^1].Address, group, topic);

        var clock = Stopwatch.StartNew();
        var recalled = await producer.AskAsync("send", new { body = "recalled", deliverInMilliseconds = 4_000 });
        await producer.SendAsync(new { body = "first", deliverInMilliseconds = 3_000 });
        await producer.SendAsync(new { body = "second", deliverInMilliseconds = 6_000 });
        var answer = await producer.AskAsync("recall", new { recallHandle = recalled.GetProperty("recallHandle").GetString() });
        await Eventually.TrueAsync("the first", TimeSpan.FromSeconds(30), () => Task.FromResult(consumer.Deliveries.Count > 0));
        var first = clock.Elapsed;
        await Eventually.TrueAsync("the second", TimeSpan.FromSeconds(30), () => Task.FromResult(consumer.Deliveries.Count > 1));

        Assert.InRange(first, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
        Assert.Equal(recalled.GetProperty("messageId").GetString(), answer.GetProperty("messageId").GetString());
        Assert.Equal(["first", "second"], consumer.Deliveries.Select(delivery => delivery.Body));
    }
}
