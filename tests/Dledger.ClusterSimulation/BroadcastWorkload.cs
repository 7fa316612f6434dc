using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation;

/// <summary>The clients of a broadcast group, in the runs that have it.</summary>
internal sealed class BroadcastWorkload(SimulatedCluster cluster, BroadcastScenario scenario)
{
    private readonly List<BroadcastConsumer> _consumers = [];
    private FeedProducer? _producer;

    public BroadcastHistory History { get; } = new(cluster, scenario);

    /// <summary>Makes topic and group.</summary>
    public async Task PrepareAsync()
    {
        var topic = new TopicSpec
        {
            Name = BroadcastHistory.Topic,
            QueueCount = scenario.QueueCount,
            AcceptedTypes = MessageTypeSet.Of(scenario.IsOrdered ? MessageType.Fifo : MessageType.Normal),
        };

        // Attempts without end: no dead letter takes a message away from the count.
        var group = new GroupSpec
        {
            Name = BroadcastHistory.Group,
            Fifo = scenario.IsOrdered,
            Settings = new GroupSettings { MaxAttempts = 10_000, Broadcast = true },
        };
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
    }

    /// <summary>The clients, to be watched.</summary>
    public IEnumerable<Task> Start()
    {
        _producer = new FeedProducer(
            cluster, History.Random, BroadcastHistory.Topic, BroadcastHistory.IdPrefix, scenario.IsOrdered ? 3 : 0, History.Invoke)
        {
            Remaining = scenario.MessageCount,
        };
        yield return _producer.RunAsync();
        for (var i = 0; i < scenario.ClientCount; i++)
        {
            var consumer = new BroadcastConsumer(cluster, History, i);
            _consumers.Add(consumer);
            yield return consumer.RunAsync();
        }
    }

    /// <summary>The last phase: a little more is sent, so that it is seen to work.</summary>
    public void Heal() => _producer!.Remaining = Math.Min(_producer.Remaining, 2);

    /// <summary>What is not sent, or not consumed by everybody who is there; null when all is.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (_producer!.Remaining > 0)
        {
            return $"{_producer.Remaining} news are not sent;";
        }

        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        return broker.Machine.State.Groups.Find(BroadcastHistory.Group) is { } group
            ? _consumers.Select(consumer => History.DescribeOpen(consumer.View, group)).FirstOrDefault(open => open is not null)
            : "the broadcast group is gone;";
    }
}
