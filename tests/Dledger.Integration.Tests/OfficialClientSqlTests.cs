using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>SQL filters of the official Node.js client.</summary>
public sealed class OfficialClientSqlTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_consumer_with_an_sql_filter_receives_what_is_true_of_it(int nodeCount)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic);
        await cluster.CommandAsync("group", "create", group);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartSimpleConsumerAsync(
            cluster.Nodes[^1].Address, group, topic, tags: "sql price > 5 AND shade IN ('navy', 'red')");

        foreach (var (price, shade) in new[] { ("3", "navy"), ("7", "navy"), ("8", "green"), ("9", "red") })
        {
            await producer.SendAsync(new { body = price, properties = new Dictionary<string, string> { ["price"] = price, ["shade"] = shade } });
        }

        await producer.SendAsync(new { body = "without properties" });
        var received = await consumer.DrainAsync(2);
        var rest = await consumer.ReceiveAsync();

        Assert.Equal(["7", "9"], received.Select(delivery => delivery.Body).Order());
        Assert.Empty(rest);
    }
}
