using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends messages of all priorities, also above the highest band.</summary>
internal sealed class PriorityProducer(SimulatedCluster cluster, PriorityWorkload workload)
    : WorkloadProducer(cluster, workload.Random, PriorityHistory.Topic)
{
    protected override MessageDraft Next()
    {
        var priority = Random.Next(workload.BandCount + 1);
        return new MessageDraft
        {
            Body = new byte[1 + Random.Next(64)],
            MessageId = workload.History.Invoke(priority),
            Priority = priority,
            Type = MessageType.Priority,
        };
    }

    protected override void Acked(string messageId) => workload.History.Acked(messageId);
}
