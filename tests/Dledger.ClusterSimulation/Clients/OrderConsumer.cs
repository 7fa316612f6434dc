using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// One of several consumers of an ordered group: acks, gives back, gives up or forgets what it is given, as the dice fall, and repeats a lost
/// call under the same attempt.
/// </summary>
internal sealed class OrderConsumer(SimulatedCluster cluster, OrderHistory history, int number)
{
    private int _attempt;

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
        var random = history.Random;
        var node = cluster.Calls.Choose();
        var longPoll = random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = OrderHistory.Group,
            Topic = OrderHistory.Topic,
            BatchSize = 1 + random.Next(8),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = $"lane-reader-{number}",
            AttemptId = $"{_attempt}",
        };
        var begun = cluster.Events.Now;
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line($"lane{number}", !isAnswered ? "no answer" : outcome!.Failure?.ToString()
                ?? string.Join(", ", outcome.Messages.Select(message => $"{message.MessageId} attempt {message.Attempt}")));
        }

        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        if (!isAnswered || outcome!.Failure is not null)
        {
            return;
        }

        _attempt++;
        history.Delivered(outcome.Messages, begun);
        foreach (var message in outcome.Messages)
        {
            await FinishAsync(message);
        }
    }

    private async Task FinishAsync(DeliveredMessage message)
    {
        var random = history.Random;
        if (cluster.IsHealed || random.Chance(history.Scenario.AckShare))
        {
            await AckAsync(message);
        }
        else if (random.Chance(0.5))
        {
            await CallAsync(broker => ReturnAsync(broker, message, random.Next(0, cluster.Scenario.InvisibleTime)));
        }
        else if (random.Chance(0.4))
        {
            history.GiveUpInvoked(message);
            await CallAsync(broker => broker.ForwardToDeadLetterAsync(
                OrderHistory.Group, OrderHistory.Topic, message.ReceiptHandle, CancellationToken.None));
        }
    }

    private static async ValueTask<BrokerFailure?> ReturnAsync(BrokerNode broker, DeliveredMessage message, long delay) =>
        (await broker.ChangeInvisibleAsync(
            OrderHistory.Group,
            OrderHistory.Topic,
            message.ReceiptHandle,
            TimeSpan.FromMicroseconds(delay),
            suspend: false,
            CancellationToken.None)).Failure;

    private async Task CallAsync(Func<BrokerNode, ValueTask<BrokerFailure?>> call)
    {
        var node = cluster.Calls.Choose();
        var (isAnswered, failure) = await cluster.Calls.CallAsync(node, call, cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, failure);
        }
    }

    private async Task AckAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        history.AckInvoked(message);
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync<IReadOnlyList<AckOutcome>>(
            node,
            broker => broker.AckAsync(
                OrderHistory.Group, OrderHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (!isAnswered || outcomes![0].Failure is { Error: BrokerError.OutcomeUnknown })
        {
            history.AckEnded(message, isAcked: null);
            return;
        }

        cluster.Calls.Learn(node, outcomes[0].Failure);
        history.AckEnded(message, outcomes[0].Succeeded);
    }
}
