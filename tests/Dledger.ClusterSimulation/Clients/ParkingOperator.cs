using Dledger.Broker.Parking;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Looks which messages are parked, and releases or drops some of them; all of them in the last phase.</summary>
internal sealed class ParkingOperator(SimulatedCluster cluster, OrderHistory history)
{
    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(2 * cluster.Scenario.ElectionTimeout));
            var begun = cluster.Events.Now;
            var node = cluster.Calls.Choose();
            var (isAnswered, answer) = await cluster.Calls.CallAsync(
                node,
                broker => broker.ListParkedAsync(new ParkingSelection { Group = OrderHistory.Group }, CancellationToken.None),
                cluster.Scenario.CallPatience);
            if (!isAnswered)
            {
                continue;
            }

            cluster.Calls.Learn(node, answer.Failure);
            history.Parked(answer.List?.Messages ?? [], begun);
            foreach (var message in answer.List?.Messages ?? [])
            {
                if (message.MessageId.Length > 0 && (cluster.IsHealed || history.Random.Chance(0.4)))
                {
                    await EndAsync(message, drops: history.Random.Chance(0.3));
                }
            }
        }
    }

    private async Task EndAsync(ParkedMessage message, bool drops)
    {
        history.ParkingEnds(message, drops);
        var selection = new ParkingSelection
        {
            Group = OrderHistory.Group,
            Topic = OrderHistory.Topic,
            QueueId = message.QueueId,
            Offset = message.Offset.Value,
        };
        var node = cluster.Calls.Choose();
        var (isAnswered, answer) = await cluster.Calls.CallAsync(
            node,
            broker => drops
                ? broker.DropParkedAsync(selection, CancellationToken.None)
                : broker.ReleaseParkedAsync(selection, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, answer.Failure);
        }
    }
}
