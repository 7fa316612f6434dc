using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends messages to lite topics, which are made so.</summary>
internal sealed class LiteProducer(SimulatedCluster cluster, LiteWorkload workload)
{
    private readonly string[] _names = [.. workload.Names];

    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    public async Task RunAsync()
    {
        while (true)
        {
            var interval = Remaining == 0 ? cluster.Scenario.ElectionTimeout : 2 * cluster.Scenario.ProduceInterval;
            await cluster.Calls.DelayAsync(workload.Random.NextInterval(interval));
            if (Remaining > 0 && await SendAsync())
            {
                Remaining--;
            }
        }
    }

    private async Task<bool> SendAsync()
    {
        var node = cluster.Calls.Choose();
        var liteTopic = workload.Random.Pick(_names);
        var draft = new MessageDraft
        {
            Body = new byte[1 + workload.Random.Next(64)],
            MessageId = workload.History.Invoke(liteTopic),
            LiteTopic = liteTopic,
            Type = MessageType.Lite,
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.AppendAsync(LiteHistory.Topic, [draft], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return false;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Succeeded)
        {
            workload.History.Acked(draft.MessageId);
        }

        return outcome.Succeeded;
    }
}
