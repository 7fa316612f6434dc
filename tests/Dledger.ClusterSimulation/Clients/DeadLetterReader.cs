using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Reads a group's dead letters with a group of its own and acks them.</summary>
internal sealed class DeadLetterReader(SimulatedCluster cluster, ConsumeHistory history)
{
    private readonly string _topic = $"%DLQ%{history.Group}";

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ElectionTimeout));
            await ReadAsync();
        }
    }

    private async Task ReadAsync()
    {
        var node = cluster.Calls.Choose();
        if (node.Broker?.FindTopic(_topic) is null)
        {
            return;
        }

        var request = new ReceiveRequest
        {
            Group = $"readers-of-{history.Group}",
            Topic = _topic,
            BatchSize = 16,
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            ClientId = "reader",
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        foreach (var letter in outcome.Messages)
        {
            history.DeadLetter(letter);
        }

        if (outcome.Messages.Count > 0)
        {
            await cluster.Calls.CallAsync(
                node,
                broker => broker.AckAsync(
                    request.Group, _topic, [.. outcome.Messages.Select(letter => letter.ReceiptHandle)], CancellationToken.None),
                cluster.Scenario.CallPatience);
        }
    }
}
