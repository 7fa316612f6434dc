using System.Globalization;
using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends messages, half of them with a time to live in the runs that have such, from short to longer than a run.</summary>
internal sealed class ModeProducer(SimulatedCluster cluster, ModeHistory history)
    : WorkloadProducer(cluster, history.Random, ModeHistory.Topic)
{
    protected override MessageDraft Next()
    {
        var lifetime = history.Scenario.HasLifetimes && Random.Chance(0.5) ? Random.NextLogarithmic(5, 1_200_000) : 0;
        var messageGroup = history.Scenario.IsOrdered ? $"lane-{Random.Next(3)}" : null;
        return new MessageDraft
        {
            Body = new byte[1 + Random.Next(64)],
            MessageId = history.Invoke(lifetime),
            MessageGroup = messageGroup,
            Type = messageGroup is null ? MessageType.Normal : MessageType.Fifo,
            UserProperties = lifetime == 0
                ? []
                : [new(TimeToLive.Property, lifetime.ToString(CultureInfo.InvariantCulture))],
        };
    }
}
