using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// One of several consumers of a group with rare settings: acks, gives back or forgets what it is given, asks for more with its hands full,
/// and says goodbye now and then.
/// </summary>
internal sealed class ModeConsumer(SimulatedCluster cluster, ModeHistory history, int number)
{
    private readonly string _clientId = $"moded-{number}";

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout / 2 : 2 * cluster.Scenario.ConsumeInterval));
            if (cluster.IsHealed && number == 0 && history.Scenario is { FallsSilent: true, IsExclusive: true })
            {
                continue;
            }

            if (!cluster.IsHealed && history.Scenario.IsExclusive && history.Random.Chance(0.05))
            {
                await LeaveAsync();
                continue;
            }

            // Two polls of one client at once, as consumers with several threads have them, meet at the bounds.
            var polls = Enumerable.Range(0, history.Scenario.HasCaps && history.Random.Chance(0.4) ? 2 : 1)
                .Select(_ => ReceiveAsync([]))
                .ToList();
            IReadOnlyList<DeliveredMessage> messages = [.. (await Task.WhenAll(polls)).SelectMany(each => each)];
            if (messages.Count > 0
                && messages.Count >= history.Scenario.MaxInFlightPerClient
                && history.Scenario.HasCaps
                && history.Random.Chance(0.5))
            {
                messages = [.. messages, .. await ReceiveAsync(messages)];
            }

            foreach (var message in messages)
            {
                await FinishAsync(message);
            }
        }
    }

    private async Task<IReadOnlyList<DeliveredMessage>> ReceiveAsync(IReadOnlyList<DeliveredMessage> inHand)
    {
        var random = history.Random;
        var node = cluster.Calls.Choose();
        var longPoll = random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = ModeHistory.Group,
            Topic = ModeHistory.Topic,
            BatchSize = 1 + random.Next(8),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = _clientId,
        };
        var begun = cluster.Events.Now;
        var hadFresh = history.BeginReceive() && history.HasFresh();
        var number = history.ReceivesBegun;
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        history.EndReceive();
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line(_clientId, !isAnswered ? $"no answer of node {node.Id}" : outcome!.Failure?.ToString()
                ?? string.Join(", ", outcome.Messages.Select(message => $"{message.MessageId} attempt {message.Attempt}")));
        }

        if (!isAnswered)
        {
            return [];
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        history.Delivered(_clientId, outcome.Messages, begun);
        if (inHand.Count > 0 && outcome.Messages.Count == 0)
        {
            history.HeldBack(node, inHand, outcome, hadFresh && number == history.ReceivesBegun);
        }

        return outcome.Messages;
    }

    private async Task FinishAsync(DeliveredMessage message)
    {
        if (cluster.IsHealed || history.Random.Chance(history.Scenario.AckShare))
        {
            history.AckInvoked(message);
            await CallAsync(async broker => (await broker.AckAsync(
                ModeHistory.Group, ModeHistory.Topic, [message.ReceiptHandle], CancellationToken.None))[0].Failure);
        }
        else if (history.Random.Chance(0.5))
        {
            var delay = TimeSpan.FromMicroseconds(history.Random.Next(0, cluster.Scenario.InvisibleTime / 2));
            await CallAsync(async broker => (await broker.ChangeInvisibleAsync(
                ModeHistory.Group, ModeHistory.Topic, message.ReceiptHandle, delay, suspend: false, CancellationToken.None)).Failure);
        }
    }

    private async Task LeaveAsync()
    {
        history.Leaves(_clientId);
        await CallAsync(broker =>
        {
            broker.ClientTerminated(_clientId);
            return new ValueTask<BrokerFailure?>((BrokerFailure?)null);
        });
        await cluster.Calls.DelayAsync(history.Random.NextInterval(2 * cluster.Scenario.ElectionTimeout));
    }

    private async Task CallAsync(Func<BrokerNode, ValueTask<BrokerFailure?>> call)
    {
        var node = cluster.Calls.Choose();
        var (isAnswered, failure) = await cluster.Calls.CallAsync(node, call, cluster.Scenario.CallPatience);
        if (isAnswered && failure is not null)
        {
            cluster.Calls.Learn(node, failure);
        }
    }
}
