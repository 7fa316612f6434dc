namespace Dledger.ClusterSimulation.Clients;

/// <summary>Asks any node where the queues end: what it is told must be as new as everything that was acked before it asked.</summary>
internal sealed class StatusReader(SimulatedCluster cluster, string topic)
{
    // By queue: what an acked message or an earlier answer has shown to be there.
    private readonly Dictionary<int, long> _shown = [];

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ElectionTimeout / 8));
            if (cluster.IsHealed)
            {
                await cluster.Calls.DelayAsync(cluster.Scenario.ElectionTimeout);
            }

            await ReadAsync();
        }
    }

    private async Task ReadAsync()
    {
        // Half of the questions go to frozen nodes, where there are any: they answer when they wake up.
        var node = cluster.Nodes.FirstOrDefault(each => each.IsPaused && cluster.Random.Chance(0.5))
            ?? cluster.Random.Pick(cluster.Nodes);
        var floors = Enumerable.Range(0, cluster.Scenario.QueueCount).Select(FloorOf).ToArray();
        var (isAnswered, answer) = await cluster.Calls.CallAsync(
            node, broker => broker.DescribeTopicAsync(topic, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered || answer.Topic is not { } description)
        {
            return;
        }

        cluster.Marks.Reach("read of the end of a queue");
        foreach (var queue in description.Queues)
        {
            var (end, stored) = (queue.Max.Value, cluster.Oracle.CountOf(queue.QueueId));
            cluster.Checks.Check(
                "I35", end <= stored, $"node {node.Id} says that queue {queue.QueueId} ends at {end}, committed are {stored}");
            cluster.Checks.Check(
                "I35",
                end >= floors[queue.QueueId],
                $"node {node.Id} says that queue {queue.QueueId} ends at {end}, "
                    + $"but {floors[queue.QueueId]} was known before it was asked");
            _shown[queue.QueueId] = Math.Max(end, _shown.GetValueOrDefault(queue.QueueId));
        }
    }

    private long FloorOf(int queue) =>
        Math.Max(cluster.Producing.AckedEndOf(queue), _shown.GetValueOrDefault(queue));
}
