using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends the messages of one message group one after the other.</summary>
internal sealed class OrderProducer(SimulatedCluster cluster, OrderHistory history, string messageGroup)
    : WorkloadProducer(cluster, history.Random, OrderHistory.Topic)
{
    protected override MessageDraft Next() => new()
    {
        Body = new byte[1 + Random.Next(64)],
        MessageId = history.Invoke(messageGroup),
        MessageGroup = messageGroup,
        Type = MessageType.Fifo,
    };
}
