using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Consumes in the group that is moved about: acks at once, later, with old handles, or not at all.</summary>
internal sealed class SoughtConsumer(
    SimulatedCluster cluster, SeekHistory history, string topic, SimulationRandom random)
{
    private const int OldHandlesMax = 16;

    private readonly List<DeliveredMessage> _old = [];

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ConsumeInterval));
            await ReceiveAsync();
            if (_old.Count > 0 && random.Chance(0.4))
            {
                var old = _old[random.Next(_old.Count)];
                _old.Remove(old);
                await AckAsync(old);
            }
        }
    }

    private async Task ReceiveAsync()
    {
        var node = cluster.Calls.Choose();
        var request = new ReceiveRequest
        {
            Group = SeekHistory.Group,
            Topic = topic,
            BatchSize = 1 + random.Next(16),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(random.Chance(0.5) ? cluster.Scenario.LongPoll : 0),
            ClientId = "sought",
        };
        history.ReceiveInvoked();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.ReceiveAsync(request, CancellationToken.None),
            cluster.Scenario.CallPatience + cluster.Scenario.LongPoll);
        if (!isAnswered || outcome!.Failure is not null)
        {
            // Its lease may still come: it never counts as ended.
            cluster.Calls.Learn(node, isAnswered ? outcome!.Failure : null);
            return;
        }

        history.ReceiveEnded();
        cluster.Calls.Learn(node, failure: null);
        foreach (var message in outcome.Messages)
        {
            history.Delivered(message);
        }

        foreach (var message in outcome.Messages)
        {
            if (cluster.IsHealed || random.Chance(cluster.Scenario.AckShare))
            {
                await AckAsync(message);
            }
            else if (_old.Count < OldHandlesMax)
            {
                _old.Add(message);
            }
        }
    }

    private async Task AckAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        var begun = cluster.Events.Now;
        history.AckInvoked(message);
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync<IReadOnlyList<AckOutcome>>(
            node,
            broker => broker.AckAsync(SeekHistory.Group, topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        var failure = isAnswered ? outcomes![0].Failure : null;
        if (!isAnswered || failure is { Error: BrokerError.OutcomeUnknown })
        {
            history.AckEnded(message, begun, isKnown: false);
            return;
        }

        cluster.Calls.Learn(node, failure);
        if (failure is null)
        {
            history.AckEnded(message, begun, isKnown: true);
        }
        else if (failure.Value.Error == BrokerError.InvalidHandle)
        {
            history.AckStale(message);
        }
    }
}
