using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>The one consumer of a topic of priorities: one call at a time, acks or forgets what it is given.</summary>
/// <remarks>In the last phase it waits until a backlog is there and no lease of a lost answer is left.</remarks>
internal sealed class PriorityConsumer(SimulatedCluster cluster, PriorityWorkload workload)
{
    private readonly PriorityHistory _history = workload.History;

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(workload.Random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ConsumeInterval));
            if (cluster.IsHealed)
            {
                _history.Settle();
                if (_history.IsInDoubt || !workload.IsAllSent)
                {
                    continue;
                }
            }

            await ReceiveAsync();
        }
    }

    private async Task ReceiveAsync()
    {
        var node = cluster.Calls.Choose();
        var longPoll = workload.Random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = PriorityHistory.Group,
            Topic = PriorityHistory.Topic,
            BatchSize = 1 + workload.Random.Next(4),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = "alarm-reader",
        };
        var free = _history.Begin();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line("alarms", !isAnswered ? "no answer" : outcome!.Failure?.ToString()
                ?? string.Join(", ", outcome.Messages.Select(message => $"{message.MessageId} attempt {message.Attempt}")));
        }

        if (!isAnswered || outcome!.Failure is not null)
        {
            _history.AnswerLost(longPoll + (2 * cluster.Scenario.CallPatience) + (2 * cluster.Scenario.InvisibleTime));
            return;
        }

        _history.Delivered(outcome.Messages, free);
        foreach (var message in outcome.Messages)
        {
            if (cluster.IsHealed || workload.Random.Chance(workload.AckShare))
            {
                await AckAsync(message);
            }
        }
    }

    private async Task AckAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync(
            node,
            broker => broker.AckAsync(PriorityHistory.Group, PriorityHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcomes![0].Failure);
        }
    }
}
