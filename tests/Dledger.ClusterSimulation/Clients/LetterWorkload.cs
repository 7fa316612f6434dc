using Dledger.Broker.Groups;
using Dledger.Broker.Letters;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// A group that gives many messages up, and two operators who send its dead letters again, in a quarter of the runs whose log is kept whole.
/// Drawn from a stream of its own: the other runs are as they would be without it.
/// </summary>
internal sealed class LetterWorkload(SimulatedCluster cluster, ulong seed)
{
    private const ulong Stream = 0x4C45_5454_4552_0001;
    private const int OperatorCount = 2;
    private const int PageSize = 16;

    private readonly SimulationRandom _random = new(seed ^ Stream);
    private int _remaining = Math.Min(40, cluster.Scenario.MessageCount);

    public LetterHistory History { get; } = new(cluster);

    /// <summary>Null in most runs.</summary>
    public static LetterWorkload? Draw(SimulatedCluster cluster, ulong seed) =>
        cluster.Scenario.RetentionBytes == 0 && new SimulationRandom(seed ^ Stream ^ 1).Chance(0.25)
            ? new LetterWorkload(cluster, seed)
            : null;

    /// <summary>Makes topic and group, and begins.</summary>
    public async Task StartAsync()
    {
        var topic = new TopicSpec
        {
            Name = LetterHistory.Topic,
            QueueCount = 1 + _random.Next(2),
            AcceptedTypes = MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo),
        };
        var group = new GroupSpec
        {
            Name = LetterHistory.Group,
            Fifo = _random.Chance(0.3),
            Settings = new GroupSettings { MaxAttempts = 2 + _random.Next(3) },
        };
        await cluster.Calls.UntilThereAsync(_random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await cluster.Calls.UntilThereAsync(_random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
        cluster.Watch(SendAsync());
        cluster.Watch(ConsumeAsync());
        for (var number = 0; number < OperatorCount; number++)
        {
            cluster.Watch(OperateAsync(number));
        }
    }

    /// <summary>What is not at its end, as a node that serves knows it; null when all is.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        var state = broker.Machine.State;
        var subscription = state.Groups.Find(LetterHistory.Group)?.Subscriptions.Values
            .FirstOrDefault(each => each.Topic.View.Name == LetterHistory.Topic);
        var open = subscription is null
            ? state.Topics.Find(LetterHistory.Topic)?.Queues.Sum(queue => queue.Max - queue.Min) ?? 0
            : subscription.Cursors.Sum(static cursor => cursor.Lag);
        return open == 0 ? null : $"{open} messages of the group that gives up are not finished;";
    }

    private async Task SendAsync()
    {
        while (_remaining > 0 && !cluster.IsHealed)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ProduceInterval * 2));
            _remaining--;
            var group = _random.Chance(0.3) ? $"group-{_random.Next(3)}" : null;
            var draft = new MessageDraft
            {
                Body = new byte[1 + _random.Next(100)],
                MessageId = History.Invoke(),
                MessageGroup = group,
                Type = group is null ? MessageType.Normal : MessageType.Fifo,
            };
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node, broker => broker.AppendAsync(LetterHistory.Topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
            if (isAnswered)
            {
                cluster.Calls.Learn(node, outcome!.Failure);
            }
        }
    }

    private async Task ConsumeAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ConsumeInterval));
            var request = new ReceiveRequest
            {
                Group = LetterHistory.Group,
                Topic = LetterHistory.Topic,
                BatchSize = 1 + _random.Next(8),
                InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
                LongPoll = TimeSpan.FromMicroseconds(cluster.Scenario.LongPoll),
                ClientId = "failing",
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
            History.Delivered(outcome.Messages);
            foreach (var message in outcome.Messages)
            {
                await FinishAsync(message);
            }
        }
    }

    // Gives many up, acks others, and forgets some.
    private async Task FinishAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        if (cluster.IsHealed || _random.Chance(0.3))
        {
            await cluster.Calls.CallAsync(
                node,
                broker => broker.AckAsync(LetterHistory.Group, LetterHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
                cluster.Scenario.CallPatience);
        }
        else if (_random.Chance(0.8))
        {
            await cluster.Calls.CallAsync(
                node,
                broker => broker.ForwardToDeadLetterAsync(
                    LetterHistory.Group, LetterHistory.Topic, message.ReceiptHandle, CancellationToken.None),
                cluster.Scenario.CallPatience);
        }
    }

    // Until the faults end: what was sent last has to come to its end.
    private async Task OperateAsync(int number)
    {
        while (!cluster.IsHealed)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ElectionTimeout / 2));
            var node = cluster.Calls.Choose();
            var (isAnswered, page) = await cluster.Calls.CallAsync(
                node,
                broker => broker.ReadDeadLettersAsync(
                    LetterHistory.Group, new LetterPlace(0, new Primitives.QueueOffset(_random.Next(4))), PageSize, CancellationToken.None),
                cluster.Scenario.CallPatience);
            if (!isAnswered)
            {
                continue;
            }

            cluster.Calls.Learn(node, page!.Failure);
            if (page.Letters.Count > 0)
            {
                await ResendAsync(number, page.Letters);
            }
        }
    }

    private async Task ResendAsync(int number, IReadOnlyList<Letter> letters)
    {
        // Also some that were sent before: another operator may know no better.
        var places = Enumerable.Range(0, 1 + _random.Next(3))
            .Select(_ => _random.Pick(letters).Message)
            .Select(letter => new LetterPlace(letter.QueueId, letter.QueueOffset))
            .Distinct()
            .ToArray();
        var resend = new LetterResend(ToGroup: _random.Chance(0.5), IsDryRun: _random.Chance(0.1));
        var node = cluster.Calls.Choose();
        var (isAnswered, answer) = await cluster.Calls.CallAsync(
            node,
            broker => broker.ResendDeadLettersAsync(LetterHistory.Group, places, resend, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line(
                $"sender{number}",
                $"{string.Join(", ", places)} {resend}: {(!isAnswered ? "no answer" : answer.Failure?.ToString()
                    ?? string.Join(", ", answer.Outcomes.Select(static outcome => outcome?.ToString() ?? "sent")))}");
        }

        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, answer.Failure);
        for (var i = 0; !resend.IsDryRun && i < answer.Outcomes.Count; i++)
        {
            if (answer.Outcomes[i] is null)
            {
                History.Confirmed(places[i]);
            }
        }
    }
}
