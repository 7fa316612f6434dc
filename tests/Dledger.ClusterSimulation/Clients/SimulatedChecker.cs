using Dledger.Broker.Transactions;
using Dledger.ClusterSimulation.Nodes;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Brings the questions of a node to the producer of transactions.</summary>
internal sealed class SimulatedChecker(SimulatedCluster cluster, SimulatedNode node) : ITransactionChecker
{
    public void Ask(TransactionQuestion question)
    {
        if (cluster.TransactionProducer is { } producer)
        {
            cluster.Events.After(
                cluster.TransactionRandom.NextInterval(cluster.Scenario.Latency),
                () => cluster.Watch(producer.AnswerAsync(node, question)));
        }
    }
}
