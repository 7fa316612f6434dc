using Dledger.Broker;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Producers that send more than their topic may take, some of them without minding what they are told, and consumers that ask for more
/// than their group may be given.
/// </summary>
internal sealed class QuotaWorkload(SimulatedCluster cluster, QuotaScenario scenario)
{
    public QuotaHistory History { get; } = new(cluster, scenario);

    /// <summary>Makes topic and group.</summary>
    public async Task PrepareAsync()
    {
        var topic = new TopicSpec { Name = QuotaHistory.Topic, QueueCount = 2, ProduceQuota = scenario.Produce };

        // Attempts without end: no dead letter takes a message away from the count.
        var group = new GroupSpec
        {
            Name = QuotaHistory.Group,
            Settings = new GroupSettings { MaxAttempts = 10_000, ReceiveQuota = scenario.Receive },
        };
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
    }

    /// <summary>The clients, to be watched.</summary>
    public IEnumerable<Task> Start() =>
        Enumerable.Range(0, scenario.ProducerCount).Select(SendAsync)
            .Concat(Enumerable.Range(0, scenario.ConsumerCount).Select(ConsumeAsync));

    /// <summary>What is not finished, as a node that serves knows it; null: nothing.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        var topic = broker.Machine.State.Topics.Find(QuotaHistory.Topic)!;
        var group = broker.Machine.State.Groups.Find(QuotaHistory.Group)!;
        var subscription = topic.Subscriptions.GetValueOrDefault(group.View.Id);
        var open = topic.Queues.Sum(queue => subscription?.Cursors[queue.QueueId] is { } cursor
            ? cursor.Lag
            : queue.Max - queue.Min);
        return open == 0 ? null : $"{open} messages of the topic with a quota;";
    }

    private async Task SendAsync(int number)
    {
        for (var left = scenario.SendCount; ;)
        {
            await cluster.Calls.DelayAsync(History.Random.NextInterval(
                left == 0 || cluster.IsHealed ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ProduceInterval));
            if (left == 0 || cluster.IsHealed)
            {
                continue;
            }

            var failure = await SendOneAsync($"sender-{number}");
            if (failure?.Error == BrokerError.QuotaExceeded)
            {
                if (History.Random.Chance(0.5))
                {
                    await cluster.Calls.DelayAsync(Math.Min((long)failure.Value.RetryAfter.TotalMicroseconds, 500_000));
                }
            }
            else
            {
                left--;
            }
        }
    }

    private async Task<BrokerFailure?> SendOneAsync(string clientId)
    {
        var send = History.Invoke(1 + History.Random.Next(scenario.BatchMax), clientId);
        MessageDraft[] drafts =
        [
            .. send.Ids.Select(id => new MessageDraft { Body = new byte[1 + History.Random.Next(100)], MessageId = id }),
        ];
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker =>
            {
                send.TakenAt = cluster.Events.Now;
                return broker.AppendAsync(QuotaHistory.Topic, drafts, null, clientId, CancellationToken.None);
            },
            cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return null;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Succeeded)
        {
            History.Acked(send);
        }
        else if (outcome.Failure.Value.Error == BrokerError.QuotaExceeded)
        {
            History.Refused(send);
        }

        return outcome.Failure;
    }

    private async Task ConsumeAsync(int number)
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(History.Random.NextInterval(cluster.Scenario.ConsumeInterval));
            var request = new ReceiveRequest
            {
                Group = QuotaHistory.Group,
                Topic = QuotaHistory.Topic,
                BatchSize = 1 + History.Random.Next(16),
                InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
                LongPoll = TimeSpan.FromMicroseconds(cluster.Scenario.LongPoll),
                ClientId = $"limited-{number}",
            };
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node,
                broker => broker.ReceiveAsync(request, CancellationToken.None),
                cluster.Scenario.CallPatience + cluster.Scenario.LongPoll);
            if (!isAnswered)
            {
                continue;
            }

            cluster.Calls.Learn(node, outcome!.Failure);
            if (outcome.Failure?.Error == BrokerError.QuotaExceeded)
            {
                cluster.Marks.Reach("receive held by a quota");
            }

            foreach (var message in outcome.Messages)
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
            broker => broker.AckAsync(QuotaHistory.Group, QuotaHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcomes![0].Failure);
        }
    }
}
