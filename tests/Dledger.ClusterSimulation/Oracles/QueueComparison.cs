using Dledger.ClusterSimulation.Nodes;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>The queue indexes of a node beside the committed log (I37, I38, I39).</summary>
internal static class QueueComparison
{
    public static void Check(SimulatedCluster cluster, SimulatedNode node)
    {
        foreach (var ((topicId, queueId), messages) in cluster.Oracle.Queues)
        {
            var queue = node.Broker!.Machine.State.Topics.Find(topicId)!.Queues[queueId];
            cluster.Checks.Check(
                "I37",
                queue.Max == messages.Count,
                $"node {node.Id}: queue {queueId} ends at {queue.Max}, the log holds {messages.Count} messages of it");
            var firstKept = cluster.Oracle.FirstKept(topicId, queueId);
            cluster.Checks.Check(
                "I39",
                queue.Min >= Math.Min(firstKept, queue.Max),
                $"node {node.Id}: queue {queueId} begins at {queue.Min}, its topic keeps it from {firstKept} on");
            var last = LogPosition.Zero;
            for (var offset = queue.Min; offset < queue.Max; offset++)
            {
                var position = queue.Read(offset).Position;
                cluster.Checks.Check(
                    "I39",
                    position == messages[(int)offset].Position,
                    $"node {node.Id}: {queueId}/{offset} is at {position}, in the log at {messages[(int)offset].Position}");
                cluster.Checks.Check(
                    "I38", position > last, $"node {node.Id}: {queueId}/{offset} is at {position}, the one before at {last}");
                last = position;
            }
        }
    }
}
