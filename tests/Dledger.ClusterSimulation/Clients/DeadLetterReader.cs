using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Reads a group's dead letters with a group of its own and acks them.</summary>
internal sealed class DeadLetterReader(SimulatedCluster cluster, ConsumeHistory history)
{
    private const int BatchMax = 16;

    private readonly string _topic = $"%DLQ%{history.Group}";

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ElectionTimeout));

            // In the last phase everyone waits for it: it goes on while there is more.
            while (await ReadAsync() == BatchMax && cluster.IsHealed)
            {
                await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ConsumeInterval));
            }
        }
    }

    // How many it found.
    private async Task<int> ReadAsync()
    {
        var node = cluster.Calls.Choose();
        if (node.Broker?.FindTopic(_topic) is null)
        {
            return 0;
        }

        var request = new ReceiveRequest
        {
            Group = $"readers-of-{history.Group}",
            Topic = _topic,
            BatchSize = BatchMax,
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            ClientId = "reader",
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return 0;
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

        return outcome.Messages.Count;
    }
}
