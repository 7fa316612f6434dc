using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends the messages of one message group one after the other.</summary>
internal sealed class OrderProducer(SimulatedCluster cluster, OrderHistory history, string messageGroup)
{
    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    public async Task RunAsync()
    {
        while (true)
        {
            var interval = Remaining == 0 ? cluster.Scenario.ElectionTimeout : 2 * cluster.Scenario.ProduceInterval;
            await cluster.Calls.DelayAsync(history.Random.NextInterval(interval));
            if (Remaining > 0 && await SendAsync())
            {
                Remaining--;
            }
        }
    }

    private async Task<bool> SendAsync()
    {
        var node = cluster.Calls.Choose();
        var draft = new MessageDraft
        {
            Body = new byte[1 + history.Random.Next(64)],
            MessageId = history.Invoke(messageGroup),
            MessageGroup = messageGroup,
            Type = MessageType.Fifo,
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.AppendAsync(OrderHistory.Topic, [draft], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        return isAnswered && outcome!.Succeeded;
    }
}
