using System.Globalization;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>A group that remembers the keys of what it processed, with its sender and consumers, in about a third of the runs.</summary>
internal sealed class DedupWorkload(SimulatedCluster cluster, ulong seed)
{
    // Makes the random numbers of these clients others than those of the rest: runs without them stay as they are.
    private const ulong Stream = 0x4445_4455_5000_0001;

    private const int ConsumerCount = 2;

    private readonly SimulationRandom _random = new(seed ^ Stream);

    public DedupHistory History { get; } = new(cluster);

    /// <summary>What is still to be sent.</summary>
    public int Remaining { get; set; } = cluster.Scenario.MessageCount;

    /// <summary>Null in a run without such a group.</summary>
    public static DedupWorkload? Draw(SimulatedCluster cluster, ulong seed) =>
        new SimulationRandom(seed ^ Stream ^ 1).Chance(0.33) ? new DedupWorkload(cluster, seed) : null;

    /// <summary>Makes topic and group, and begins.</summary>
    public async Task StartAsync()
    {
        var isOrdered = _random.Chance(0.3);
        var topic = new TopicSpec
        {
            Name = DedupHistory.Topic,
            QueueCount = 1 + _random.Next(3),
            AcceptedTypes = MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo),
        };
        var group = new GroupSpec
        {
            Name = DedupHistory.Group,
            Fifo = isOrdered,
            Settings = new GroupSettings
            {
                MaxAttempts = 10_000,
                // Clocks jump by up to an hour each time, and log time goes with those that jump ahead.
                Dedup = new DedupSettings(DedupSource.Key, "", (long)Limits.DedupWindowMax.TotalMicroseconds, 0),
            },
        };
        await cluster.Calls.UntilThereAsync(
            cluster.Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None), atOnce: true);
        await cluster.Calls.UntilThereAsync(
            cluster.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None), atOnce: true);
        cluster.Watch(SendAsync());
        for (var number = 0; number < ConsumerCount; number++)
        {
            cluster.Watch(ConsumeAsync(number));
        }
    }

    /// <summary>What is not as it must be in the end; null: nothing.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        // A node that was taken out of the cluster knows nothing of what came later.
        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "no node serves";
        }

        var group = broker.Machine.State.Groups.Find(DedupHistory.Group);
        History.Repeats(group?.Processed.RepeatCount ?? 0);
        var lag = group?.Subscriptions.Values.SelectMany(subscription => subscription.Cursors).Sum(static cursor => cursor.Lag);
        return History.DescribeOpen(lag ?? 1);
    }

    private async Task SendAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ProduceInterval * 2));
            if (Remaining == 0)
            {
                continue;
            }

            Remaining--;

            // Keys come again soon and much later.
            var key = string.Create(
                CultureInfo.InvariantCulture, $"key-{(_random.Chance(0.5) ? _random.Next(5) : _random.Next(cluster.Scenario.MessageCount))}");
            var group = _random.Chance(0.3) ? $"group-{_random.Next(3)}" : null;
            var draft = new MessageDraft
            {
                Body = new byte[1 + _random.Next(100)],
                MessageId = History.Invoke(key),
                Keys = [key],
                MessageGroup = group,
                Type = group is null ? MessageType.Normal : MessageType.Fifo,
            };
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node, broker => broker.AppendAsync(DedupHistory.Topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
            if (isAnswered)
            {
                cluster.Calls.Learn(node, outcome!.Failure);
            }
        }
    }

    private async Task ConsumeAsync(int number)
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ConsumeInterval * 2));
            var request = new ReceiveRequest
            {
                Group = DedupHistory.Group,
                Topic = DedupHistory.Topic,
                BatchSize = 1 + _random.Next(8),
                InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
                LongPoll = TimeSpan.FromMicroseconds(cluster.Scenario.LongPoll),
                ClientId = string.Create(CultureInfo.InvariantCulture, $"keyed {number}"),
            };
            var ackedBefore = History.Acked();
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node,
                broker => broker.ReceiveAsync(request, CancellationToken.None),
                cluster.Scenario.CallPatience + cluster.Scenario.LongPoll);
            if (cluster.Trace.IsOn)
            {
                cluster.Trace.Line($"keyed{number}", !isAnswered ? "no answer" : outcome!.Failure?.ToString()
                    ?? string.Join(", ", outcome.Messages.Select(History.Describe)));
            }

            if (!isAnswered)
            {
                continue;
            }

            cluster.Calls.Learn(node, outcome!.Failure);
            History.Delivered(outcome.Messages, ackedBefore);
            foreach (var message in outcome.Messages)
            {
                await FinishAsync(message);
            }
        }
    }

    // Acks most, gives some back, forgets others: their keys are not processed.
    private async Task FinishAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        if (!cluster.IsHealed && _random.Chance(0.2))
        {
            if (_random.Chance(0.5))
            {
                await cluster.Calls.CallAsync(
                    node,
                    broker => broker.ChangeInvisibleAsync(
                        DedupHistory.Group, DedupHistory.Topic, message.ReceiptHandle, TimeSpan.Zero, false, CancellationToken.None),
                    cluster.Scenario.CallPatience);
            }

            return;
        }

        History.AckInvoked(message);
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync(
            node,
            broker => broker.AckAsync(DedupHistory.Group, DedupHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        var isAcked = isAnswered && outcomes![0].Failure is null;
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line("keyed", $"ack of {History.Describe(message)}: {(isAcked ? "confirmed" : "not confirmed")}");
        }

        if (isAcked)
        {
            History.AckConfirmed(message);
        }
    }
}
