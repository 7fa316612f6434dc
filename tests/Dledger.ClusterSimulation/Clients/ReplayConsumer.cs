using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Consumes in the group that messages are replayed to; some of what it gets it forgets.</summary>
internal sealed class ReplayConsumer(SimulatedCluster cluster, ReplayHistory history, int number)
{
    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ConsumeInterval));
            await ReceiveAsync();
        }
    }

    private async Task ReceiveAsync()
    {
        var node = cluster.Calls.Choose();
        var longPoll = history.Random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = ReplayHistory.Group,
            Topic = ReplayHistory.Topic,
            BatchSize = 1 + history.Random.Next(16),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = $"rereader-{number}",
        };
        history.ReceiveInvoked();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line($"reread{number}", !isAnswered ? "no answer" : outcome!.Failure?.ToString()
                ?? string.Join(", ", outcome.Messages.Select(ReplayHistory.Describe)));
        }

        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        if (!isAnswered || outcome!.Failure is not null)
        {
            // Its lease may still come: it never counts as ended.
            return;
        }

        history.ReceiveEnded();
        history.Delivered(outcome.Messages);
        foreach (var message in outcome.Messages)
        {
            if (cluster.IsHealed || history.Random.Chance(history.Scenario.AckShare))
            {
                await AckAsync(message);
            }
        }
    }

    private async Task AckAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        history.AckInvoked(message);
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync<IReadOnlyList<AckOutcome>>(
            node,
            broker => broker.AckAsync(ReplayHistory.Group, ReplayHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (cluster.Trace.IsOn)
        {
            var end = !isAnswered ? "no answer" : outcomes![0].Failure?.ToString() ?? "confirmed";
            cluster.Trace.Line($"reread{number}", $"ack of {ReplayHistory.Describe(message)}: {end}");
        }

        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcomes![0].Failure);
        if (outcomes[0].Succeeded)
        {
            history.Acked(message);
        }
    }
}
