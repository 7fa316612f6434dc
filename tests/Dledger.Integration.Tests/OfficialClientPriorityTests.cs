using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>Priorities of the official Node.js client.</summary>
public sealed class OfficialClientPriorityTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_waits_comes_by_falling_priority_and_bears_it(int nodeCount)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var topic = clusters.NewName("topic");
        var group = clusters.NewName("group");
        await cluster.CommandAsync("topic", "create", topic, "--type", "Priority");
        await cluster.CommandAsync("group", "create", group);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        int[] priorities = [1, 5, 9, 2, 12, 1, 5];
        foreach (var priority in priorities)
        {
            await producer.SendAsync(new { body = $"{priority}", priority });
        }

        await using var consumer = await SdkScript.StartPushConsumerAsync(cluster.Nodes[^1].Address, group, topic);
        await Eventually.TrueAsync(
            "all messages", TimeSpan.FromSeconds(60), () => Task.FromResult(consumer.Deliveries.Count >= priorities.Length));

        // 9 and 12 share the highest of the ten bands, in the order of their sends.
        Assert.Equal(["9", "12", "5", "5", "2", "1", "1"], consumer.Deliveries.Select(delivery => delivery.Body));
        Assert.Equal([9, 12, 5, 5, 2, 1, 1], consumer.Deliveries.Select(delivery => delivery.Priority));
    }
}
