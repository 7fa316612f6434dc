using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation;

/// <summary>The clients of a group with rare settings, in the runs that have one.</summary>
internal sealed class ModeWorkload(SimulatedCluster cluster, ModeScenario scenario)
{
    private ModeProducer? _producer;

    public ModeHistory History { get; } = new(cluster, scenario);

    /// <summary>Makes topic and group.</summary>
    public async Task PrepareAsync()
    {
        var topic = new TopicSpec
        {
            Name = ModeHistory.Topic,
            QueueCount = scenario.QueueCount,
            AcceptedTypes = MessageTypeSet.Of(scenario.IsOrdered ? MessageType.Fifo : MessageType.Normal),
        };
        var group = new GroupSpec { Name = ModeHistory.Group, Fifo = scenario.IsOrdered, Settings = scenario.Settings };
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
    }

    /// <summary>The clients, to be watched.</summary>
    public IEnumerable<Task> Start()
    {
        _producer = new ModeProducer(cluster, History) { Remaining = scenario.MessageCount };
        yield return _producer.RunAsync();
        for (var i = 0; i < scenario.ConsumerCount; i++)
        {
            yield return new ModeConsumer(cluster, History, i).RunAsync();
        }

        if (scenario.HasPauses)
        {
            yield return new PauseOperator(cluster, History).RunAsync();
        }
    }

    /// <summary>The last phase: a little more is sent, so that it is seen to work.</summary>
    public void Heal() => _producer!.Remaining = Math.Clamp(_producer.Remaining, 4, 8);

    /// <summary>What is not sent or not finished, as a node that serves knows it; null when all is done.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (_producer!.Remaining > 0)
        {
            return $"{_producer.Remaining} messages of the group with rare settings are not sent;";
        }

        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        var subscription = broker.Machine.State.Groups.Find(ModeHistory.Group)?.Subscriptions.Values.FirstOrDefault();
        var open = subscription?.Cursors.Sum(static cursor => cursor.Lag);
        return open == 0 ? null : $"{open} messages of the group with rare settings are not finished;";
    }
}
