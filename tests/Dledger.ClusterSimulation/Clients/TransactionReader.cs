using Dledger.Broker.Receiving;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Reads the messages of committed transactions and acks them.</summary>
internal sealed class TransactionReader(SimulatedCluster cluster, string topic)
{
    private const string Group = "readers-of-transactions";

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(cluster.TransactionRandom.NextInterval(cluster.Scenario.ElectionTimeout / 2));
            await ReadAsync();
        }
    }

    private async Task ReadAsync()
    {
        var node = cluster.Calls.Choose();
        var request = new ReceiveRequest
        {
            Group = Group,
            Topic = topic,
            BatchSize = 32,
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            ClientId = "reader of transactions",
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        foreach (var message in outcome.Messages)
        {
            cluster.Transactions.Read(message);
        }

        if (outcome.Messages.Count > 0)
        {
            await cluster.Calls.CallAsync(
                node,
                broker => broker.AckAsync(
                    Group, topic, [.. outcome.Messages.Select(message => message.ReceiptHandle)], CancellationToken.None),
                cluster.Scenario.CallPatience);
        }
    }
}
