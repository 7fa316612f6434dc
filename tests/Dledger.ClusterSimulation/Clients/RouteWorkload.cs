using System.Globalization;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Routes;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>A topic with routes, its sender, consumers of it and of its targets, and an operator who changes a route, in about a third of
/// the runs.</summary>
internal sealed class RouteWorkload(SimulatedCluster cluster, ulong seed)
{
    // Makes the random numbers of routes others than those of the rest: runs without them stay as they are.
    private const ulong Stream = 0x524F_5554_4553_0001;

    private const string Group = "of-routes";
    private const int AttemptsMax = 8;

    private readonly SimulationRandom _random = new(seed ^ Stream);

    public RouteHistory History { get; } = new(cluster);

    /// <summary>What is still to be sent.</summary>
    public int Remaining { get; set; } = cluster.Scenario.MessageCount;

    /// <summary>Null in a run without routes.</summary>
    public static RouteWorkload? Draw(SimulatedCluster cluster, ulong seed) =>
        new SimulationRandom(seed ^ Stream ^ 1).Chance(0.33) ? new RouteWorkload(cluster, seed) : null;

    /// <summary>Makes topics, groups and routes, and begins.</summary>
    public async Task StartAsync()
    {
        foreach (var target in RouteHistory.Targets)
        {
            await CreateTopicAsync(target, TimeSpan.Zero);
        }

        // A sender without an answer sends again.
        await CreateTopicAsync(RouteHistory.Source, TimeSpan.FromHours(24));
        await AddAsync(new RouteSpec(RouteHistory.Source, "all", RouteHistory.Targets[0], MessageFilter.All));
        await AddAsync(new RouteSpec(RouteHistory.Source, "red", RouteHistory.Targets[1], Tags("red")));
        await AddAsync(new RouteSpec(RouteHistory.Source, "big", RouteHistory.Targets[1], Sql("number > 50")));
        var group = new GroupSpec { Name = Group, Settings = new GroupSettings { MaxAttempts = 10_000 } };
        await cluster.Calls.UntilThereAsync(
            cluster.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None), atOnce: true);
        cluster.Watch(SendAsync());
        cluster.Watch(FlapAsync());
        foreach (var topic in RouteHistory.Targets.Append(RouteHistory.Source))
        {
            cluster.Watch(ConsumeAsync(topic));
        }
    }

    /// <summary>Has a topic of other clients routed, before they begin.</summary>
    public async Task ForwardAsync(string topic)
    {
        var id = await FindIdAsync(topic);
        await AddAsync(new RouteSpec(topic, "", RouteHistory.Targets[0], MessageFilter.All));
        History.Forwards(id);
    }

    private async Task SendAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ProduceInterval * 2));
            if (Remaining > 0)
            {
                Remaining--;
                await SendOneAsync();
            }
        }
    }

    private async Task SendOneAsync()
    {
        var tag = _random.Chance(0.3) ? null : _random.Chance(0.5) ? "red" : "blue";
        var number = _random.Next(100);
        var group = _random.Chance(0.3) ? $"group-{_random.Next(5)}" : null;
        var draft = new MessageDraft
        {
            Body = new byte[1 + _random.Next(100)],
            MessageId = History.Invoke(tag, number),
            Tag = tag,
            MessageGroup = group,
            Type = group is null ? MessageType.Normal : MessageType.Fifo,
            UserProperties = [KeyValuePair.Create("number", number.ToString(CultureInfo.InvariantCulture))],
        };
        var isRejected = true;
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node, broker => broker.AppendAsync(RouteHistory.Source, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
            if (isAnswered)
            {
                cluster.Calls.Learn(node, outcome!.Failure);
            }

            if (isAnswered && outcome!.Succeeded)
            {
                History.Acked(draft.MessageId, outcome.Messages[0]);
                return;
            }

            isRejected &= isAnswered && !ClientCalls.IsUnknown(outcome!.Failure!.Value);
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ProduceInterval));
        }

        if (isRejected)
        {
            History.Rejected(draft.MessageId);
        }
    }

    private async Task FlapAsync()
    {
        var spec = new RouteSpec(RouteHistory.Source, RouteHistory.Flapping, RouteHistory.Targets[2], Tags("red || blue"));
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ProduceInterval * 20));
            var adds = _random.Chance(0.5);
            var node = cluster.Calls.Choose();
            var (isAnswered, failure) = await cluster.Calls.CallAsync(
                node,
                async broker => adds
                    ? (await broker.AddRouteAsync(spec, isTrial: false, CancellationToken.None)).Failure
                    : await broker.RemoveRouteAsync(spec.Source, spec.Name, isTrial: false, CancellationToken.None),
                cluster.Scenario.CallPatience);
            if (isAnswered)
            {
                cluster.Calls.Learn(node, failure);
            }

            if (isAnswered && failure is null)
            {
                History.FlapAcked();
            }
        }
    }

    private async Task ConsumeAsync(string topic)
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ConsumeInterval * 2));
            var request = new ReceiveRequest
            {
                Group = Group,
                Topic = topic,
                BatchSize = 1 + _random.Next(16),
                InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
                LongPoll = TimeSpan.FromMicroseconds(cluster.Scenario.LongPoll),
                ClientId = $"reader of {topic}",
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
            foreach (var message in outcome.Messages)
            {
                History.Delivered(message);
            }

            if (outcome.Messages.Count > 0)
            {
                string[] handles = [.. outcome.Messages.Select(message => message.ReceiptHandle)];
                await cluster.Calls.CallAsync(
                    node, broker => broker.AckAsync(Group, topic, handles, CancellationToken.None), cluster.Scenario.CallPatience);
            }
        }
    }

    private async Task CreateTopicAsync(string name, TimeSpan idWindow)
    {
        var spec = new TopicSpec
        {
            Name = name,
            QueueCount = 1 + _random.Next(3),
            AcceptedTypes = MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo),
            IdWindowTime = idWindow,
        };
        await cluster.Calls.UntilThereAsync(
            cluster.Random, broker => broker.CreateTopicAsync(spec, CancellationToken.None), atOnce: true);
        History.Knows(name, await FindIdAsync(name));
    }

    private async Task<int> FindIdAsync(string topic)
    {
        while (true)
        {
            var (isAnswered, view) = await cluster.Calls.CallAsync(
                cluster.Calls.Choose(), broker => ValueTask.FromResult(broker.FindTopic(topic)), cluster.Scenario.CallPatience);
            if (isAnswered && view is not null)
            {
                return view.Id;
            }
        }
    }

    private Task AddAsync(RouteSpec route) => cluster.Calls.UntilThereAsync(
        cluster.Random,
        async broker => (await broker.AddRouteAsync(route, isTrial: false, CancellationToken.None)).Failure,
        atOnce: true);

    private static MessageFilter Tags(string expression) =>
        MessageFilter.TryParseTags(expression, out var filter, out _) ? filter : throw new ArgumentException(expression);

    private static MessageFilter Sql(string expression) =>
        MessageFilter.TryParseSql(expression, out var filter, out _) ? filter : throw new ArgumentException(expression);
}
