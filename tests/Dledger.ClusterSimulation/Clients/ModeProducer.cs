using System.Globalization;
using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends messages, half of them with a time to live in the runs that have such, from short to longer than a run.</summary>
internal sealed class ModeProducer(SimulatedCluster cluster, ModeHistory history)
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
        var random = history.Random;
        var lifetime = history.Scenario.HasLifetimes && random.Chance(0.5) ? random.NextLogarithmic(5, 1_200_000) : 0;
        var messageGroup = history.Scenario.IsOrdered ? $"lane-{random.Next(3)}" : null;
        var draft = new MessageDraft
        {
            Body = new byte[1 + random.Next(64)],
            MessageId = history.Invoke(lifetime),
            MessageGroup = messageGroup,
            Type = messageGroup is null ? MessageType.Normal : MessageType.Fifo,
            UserProperties = lifetime == 0
                ? []
                : [new(TimeToLive.Property, lifetime.ToString(CultureInfo.InvariantCulture))],
        };
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.AppendAsync(ModeHistory.Topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        return isAnswered && outcome!.Succeeded;
    }
}
