using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>A place for clients of the broadcast group: now and then one says goodbye, and another one under a new id takes over.</summary>
internal sealed class BroadcastConsumer(SimulatedCluster cluster, BroadcastHistory history, int number)
{
    private int _life;

    /// <summary>What the present client has seen.</summary>
    public BroadcastView View { get; private set; } = new($"listener-{number}-0");

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ConsumeInterval));
            await ReceiveAsync();
            if (!cluster.IsHealed && history.Random.Chance(0.02))
            {
                await LeaveAsync();
            }
        }
    }

    private async Task LeaveAsync()
    {
        var leaver = View.ClientId;
        View = new BroadcastView($"listener-{number}-{++_life}");
        await cluster.Calls.CallAsync(
            cluster.Calls.Choose(),
            broker =>
            {
                broker.ClientTerminated(leaver);
                return ValueTask.FromResult(true);
            },
            cluster.Scenario.CallPatience);
    }

    private async Task ReceiveAsync()
    {
        var node = cluster.Calls.Choose();
        var longPoll = history.Random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = BroadcastHistory.Group,
            Topic = BroadcastHistory.Topic,
            BatchSize = 1 + history.Random.Next(16),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = View.ClientId,
        };
        View.ReceivesInvoked++;
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Failure is not null)
        {
            return;
        }

        history.Delivered(View, outcome.Messages);
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
        View.Of(message.QueueId, message.QueueOffset.Value).AckInvoked = true;
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync<IReadOnlyList<AckOutcome>>(
            node,
            broker => broker.AckAsync(
                BroadcastHistory.Group, BroadcastHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcomes![0].Failure);
        if (outcomes[0].Succeeded)
        {
            history.Acked(View, message);
        }
    }
}
