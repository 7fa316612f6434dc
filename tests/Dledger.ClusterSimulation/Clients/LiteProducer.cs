using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends messages to lite topics, which are made so.</summary>
internal sealed class LiteProducer(SimulatedCluster cluster, LiteWorkload workload)
    : WorkloadProducer(cluster, workload.Random, LiteHistory.Topic)
{
    private readonly string[] _names = [.. workload.Names];

    protected override MessageDraft Next()
    {
        var liteTopic = Random.Pick(_names);
        return new MessageDraft
        {
            Body = new byte[1 + Random.Next(64)],
            MessageId = workload.History.Invoke(liteTopic),
            LiteTopic = liteTopic,
            Type = MessageType.Lite,
        };
    }

    protected override void Acked(string messageId) => workload.History.Acked(messageId);
}
