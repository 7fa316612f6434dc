using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends messages of all priorities, also above the highest band.</summary>
internal sealed class PriorityProducer(SimulatedCluster cluster, PriorityWorkload workload)
{
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
        var priority = workload.Random.Next(workload.BandCount + 1);
        var draft = new MessageDraft
        {
            Body = new byte[1 + workload.Random.Next(64)],
            MessageId = workload.History.Invoke(priority),
            Priority = priority,
            Type = MessageType.Priority,
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.AppendAsync(Oracles.PriorityHistory.Topic, [draft], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line("alarms", $"{draft.MessageId} priority {priority}: {(isAnswered ? $"{outcome}" : "no answer")}");
        }

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
