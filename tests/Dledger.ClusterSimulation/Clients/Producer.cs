using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends one message after the other, each attempt under an id of its own.</summary>
internal sealed class Producer(SimulatedCluster cluster, string topic)
{
    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    public async Task RunAsync()
    {
        while (true)
        {
            if (Remaining == 0)
            {
                await cluster.Calls.DelayAsync(cluster.Scenario.ElectionTimeout);
                continue;
            }

            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ProduceInterval));
            if (await SendAsync())
            {
                Remaining--;
            }
        }
    }

    private async Task<bool> SendAsync()
    {
        var node = cluster.Calls.Choose();
        var (id, body, after) = cluster.Producing.Invoke((int)cluster.Random.NextLogarithmic(1, cluster.Scenario.BodyBytesMax));
        var draft = new MessageDraft
        {
            Body = body,
            MessageId = id,
            Keys = cluster.Scenario.HasKeyIndex ? KeyIndexComparison.KeysOf(id) : [],
        };
        draft = cluster.Filters is null ? draft : FilterWorkload.Mark(draft);
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.AppendAsync(topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            cluster.Producing.Unknown(id);
            return false;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Succeeded)
        {
            cluster.Producing.Ack(id, after, outcome.Messages[0]);
            return true;
        }

        if (ClientCalls.IsUnknown(outcome.Failure!.Value))
        {
            cluster.Producing.Unknown(id);
        }
        else
        {
            cluster.Producing.Reject(id);
        }

        return false;
    }
}
