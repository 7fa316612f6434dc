using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation;

/// <summary>The clients of a group that finished messages are replayed to, in the runs that have it.</summary>
internal sealed class ReplayWorkload(SimulatedCluster cluster, ReplayScenario scenario)
{
    private FeedProducer? _producer;

    public ReplayHistory History { get; } = new(cluster, scenario);

    /// <summary>Makes topic and group.</summary>
    public async Task PrepareAsync()
    {
        var topic = new TopicSpec
        {
            Name = ReplayHistory.Topic,
            QueueCount = scenario.QueueCount,
            AcceptedTypes = MessageTypeSet.Of(scenario.IsOrdered ? MessageType.Fifo : MessageType.Normal),
        };

        // Attempts without end: no dead letter takes a message away from the count.
        var group = new GroupSpec
        {
            Name = ReplayHistory.Group,
            Fifo = scenario.IsOrdered,
            Settings = new GroupSettings { MaxAttempts = 10_000 },
        };
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
    }

    /// <summary>The clients, to be watched.</summary>
    public IEnumerable<Task> Start()
    {
        _producer = new FeedProducer(
            cluster, History.Random, ReplayHistory.Topic, ReplayHistory.IdPrefix, scenario.IsOrdered ? 3 : 0, History.Invoke)
        {
            Remaining = scenario.MessageCount,
        };
        yield return _producer.RunAsync();
        for (var i = 0; i < 2; i++)
        {
            yield return new ReplayConsumer(cluster, History, i).RunAsync();
        }

        yield return new ReplayOperator(cluster, History).RunAsync();
    }

    /// <summary>The last phase: nothing more is sent.</summary>
    public void Heal() => _producer!.Remaining = 0;

    /// <summary>What is not consumed, or not consumed again; null when all is.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (History.DescribeOpen() is { } missing)
        {
            return missing;
        }

        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        var subscription = broker.Machine.State.Groups.Find(ReplayHistory.Group)?.Subscriptions.Values.FirstOrDefault();
        var open = subscription?.Cursors.Sum(static cursor => cursor.Lag);
        return open is null or 0 ? null : $"{open} messages of the archive are not finished;";
    }
}
