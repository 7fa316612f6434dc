using Dledger.Broker;
using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Receives, and then acks, delays, forgets, or acks with an old handle, as the dice fall.</summary>
internal sealed class Consumer(
    SimulatedCluster cluster, ConsumeHistory history, string topic, int number, FilterChoice? choice = null)
{
    private const int OldHandlesMax = 8;
    private const int AckTriesMax = 4;

    private readonly List<DeliveredMessage> _old = [];
    private bool _foundAny;

    public async Task RunAsync()
    {
        while (true)
        {
            // In the last phase, which may wait long for leases to end, those that found nothing rest a little.
            var interval = cluster.IsHealed && !_foundAny ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ConsumeInterval;
            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(interval));
            await ReceiveAsync();
        }
    }

    /// <summary>Makes its filter known: a call that is answered, without messages yet.</summary>
    public async Task SubscribeAsync()
    {
        while (true)
        {
            var request = new ReceiveRequest
            {
                Group = history.Group,
                Topic = topic,
                InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
                ClientId = $"c{number}",
                Filter = choice?.Filter ?? MessageFilter.All,
            };
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
            if (isAnswered && outcome!.Succeeded)
            {
                return;
            }

            await cluster.Calls.DelayAsync(cluster.Scenario.ElectionTimeout / 4);
        }
    }

    private async Task ReceiveAsync()
    {
        var random = cluster.Random;
        var node = cluster.Calls.Choose();
        var longPoll = random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = history.Group,
            Topic = topic,
            BatchSize = 1 + random.Next(8),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = $"c{number}",
            Filter = choice?.Filter ?? MessageFilter.All,
        };
        var begun = cluster.Events.Now;
        history.ReceiveInvoked();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (!isAnswered)
        {
            cluster.Trace.Line($"{history.Group[0]}{number}", $"asked node {node.Id}: no answer");
            history.AnswerLost();
            return;
        }

        if (cluster.Trace.IsOn)
        {
            var what = outcome!.Failure?.ToString()
                ?? string.Join(", ", outcome.Messages.Select(message => $"{message.MessageId} attempt {message.Attempt}"));
            cluster.Trace.Line($"{history.Group[0]}{number}", $"asked node {node.Id}: {what}");
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Failure is not null)
        {
            // The lease may have been granted before the leader lost its place.
            history.AnswerLost();
            _foundAny = false;
            return;
        }

        _foundAny = outcome.Messages.Count > 0;
        history.Delivered(outcome.Messages, begun);
        foreach (var message in choice is null ? [] : outcome.Messages)
        {
            cluster.Checks.Check(
                "I62", choice!.Wants(message.MessageId), $"{message.MessageId} is delivered to a consumer with filter {choice.Filter}");
        }

        if (cluster.IsHealed)
        {
            await Task.WhenAll(outcome.Messages.Select(AckWhereServedAsync));
            return;
        }

        foreach (var message in outcome.Messages)
        {
            await FinishAsync(message);
        }
    }

    private async Task FinishAsync(DeliveredMessage message)
    {
        var random = cluster.Random;
        if (random.Chance(cluster.Scenario.AckShare))
        {
            await AckAsync(message);
        }
        else if (random.Chance(0.5))
        {
            await ReturnAsync(message);
        }
        else if (random.Chance(0.2))
        {
            await ForwardAsync(message);
        }
        else if (_old.Count < OldHandlesMax)
        {
            _old.Add(message);
        }

        if (_old.Count > 0 && random.Chance(0.2))
        {
            var old = _old[random.Next(_old.Count)];
            _old.Remove(old);
            await AckAsync(old);
        }
    }

    // A node that does not serve names the one that does. Without another try the lease runs out, and in an ordered group the
    // queue stands still until then: most of a run's time, in which nothing happens.
    private async Task AckWhereServedAsync(DeliveredMessage message)
    {
        for (var tries = 0; tries < AckTriesMax && await AckAsync(message) == AckAnswer.NotServed; tries++)
        {
            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ConsumeInterval));
        }
    }

    private async Task<AckAnswer> AckAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        var begun = cluster.Events.Now;
        history.AckInvoked(message);
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync<IReadOnlyList<AckOutcome>>(
            node,
            broker => broker.AckAsync(history.Group, topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (!isAnswered || outcomes![0].Failure is { Error: BrokerError.OutcomeUnknown })
        {
            history.AckLost(message);
            return AckAnswer.Unknown;
        }

        cluster.Calls.Learn(node, outcomes[0].Failure);
        if (outcomes[0].Failure is { } failure)
        {
            history.AckRefused(message, isStale: failure.Error == BrokerError.InvalidHandle);
            return failure.Error == BrokerError.InvalidHandle ? AckAnswer.Known : AckAnswer.NotServed;
        }

        history.Acked(message, begun);
        return AckAnswer.Known;
    }

    // Asks again after a lost answer, and now and then for no reason: one copy must come of it.
    private async Task ForwardAsync(DeliveredMessage message)
    {
        history.ForwardInvoked(message);
        await (cluster.Random.Chance(0.3)
            ? Task.WhenAll(AskForDeadLetterAsync(message), AskForDeadLetterAsync(message))
            : AskForDeadLetterAsync(message));
    }

    private async Task AskForDeadLetterAsync(DeliveredMessage message)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var node = cluster.Calls.Choose();
            var (isAnswered, failure) = await cluster.Calls.CallAsync(
                node,
                broker => broker.ForwardToDeadLetterAsync(
                    history.Group, topic, message.ReceiptHandle, CancellationToken.None),
                cluster.Scenario.CallPatience);
            if (isAnswered)
            {
                cluster.Calls.Learn(node, failure);
                if (failure is null)
                {
                    history.Forwarded(message);
                    if (!cluster.Random.Chance(0.3))
                    {
                        return;
                    }
                }
            }
        }
    }

    private async Task ReturnAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        var delay = TimeSpan.FromMicroseconds(cluster.Random.Next(0, cluster.Scenario.InvisibleTime));
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.ChangeInvisibleAsync(
                history.Group, topic, message.ReceiptHandle, delay, suspend: false, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome.Failure);
        }
    }

    private enum AckAnswer
    {
        Known,
        Unknown,
        NotServed,
    }
}
