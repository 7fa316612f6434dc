using Dledger.Broker.Messages;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends the messages of one workload to its topic, each attempt under an id of its own, until as many were stored as it shall send.</summary>
internal abstract class WorkloadProducer(SimulatedCluster cluster, SimulationRandom random, string topic)
{
    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    /// <summary>The workload's own stream.</summary>
    protected SimulationRandom Random { get; } = random;

    public async Task RunAsync()
    {
        while (true)
        {
            var interval = Remaining == 0 ? cluster.Scenario.ElectionTimeout : 2 * cluster.Scenario.ProduceInterval;
            await cluster.Calls.DelayAsync(Random.NextInterval(interval));
            if (Remaining > 0 && await SendAsync())
            {
                Remaining--;
            }
        }
    }

    /// <summary>The next message; its send begins now.</summary>
    protected abstract MessageDraft Next();

    /// <summary>A message is stored, as its producer was told.</summary>
    protected virtual void Acked(string messageId)
    {
    }

    private async Task<bool> SendAsync()
    {
        var node = cluster.Calls.Choose();
        var draft = Next();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.AppendAsync(topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line(topic, $"{draft.MessageId}: {(isAnswered ? $"{outcome}" : "no answer")}");
        }

        if (!isAnswered)
        {
            return false;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Succeeded)
        {
            Acked(draft.MessageId);
        }

        return outcome.Succeeded;
    }
}
