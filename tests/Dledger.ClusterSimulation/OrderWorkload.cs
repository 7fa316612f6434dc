using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation;

/// <summary>The clients of an ordered group with several message groups in each queue, in the runs that have them.</summary>
internal sealed class OrderWorkload(SimulatedCluster cluster, OrderScenario scenario)
{
    private readonly List<OrderProducer> _producers = [];

    public OrderHistory History { get; } = new(cluster, scenario);

    /// <summary>Makes topic and group.</summary>
    public async Task PrepareAsync()
    {
        var topic = new TopicSpec
        {
            Name = OrderHistory.Topic,
            QueueCount = scenario.QueueCount,
            AcceptedTypes = MessageTypeSet.Of(MessageType.Fifo),
        };
        var group = new GroupSpec
        {
            Name = OrderHistory.Group,
            Fifo = true,
            Settings = new GroupSettings
            {
                MaxAttempts = scenario.AttemptsMax,
                Poison = scenario.Poison,
                BackoffOnExpiry = scenario.BackoffOnExpiry,
                Backoff = BackoffPolicy.Customized([TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500)]),
            },
        };
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await cluster.Calls.UntilThereAsync(History.Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
    }

    /// <summary>The clients, to be watched.</summary>
    public IEnumerable<Task> Start()
    {
        for (var i = 0; i < scenario.MessageGroupCount; i++)
        {
            var producer = new OrderProducer(cluster, History, $"g{i}") { Remaining = scenario.MessageCount };
            _producers.Add(producer);
            yield return producer.RunAsync();
        }

        for (var i = 0; i < scenario.ConsumerCount; i++)
        {
            yield return new OrderConsumer(cluster, History, i).RunAsync();
        }

        yield return new ParkingOperator(cluster, History).RunAsync();
    }

    /// <summary>The last phase: a little more is sent, so that it is seen to work.</summary>
    public void Heal()
    {
        foreach (var producer in _producers)
        {
            producer.Remaining = Math.Min(producer.Remaining, 2);
        }
    }

    /// <summary>What is not sent or not finished, as a node that serves knows it; null when all is done.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        var unsent = _producers.Sum(producer => producer.Remaining);
        if (unsent > 0)
        {
            return $"{unsent} messages of message groups are not sent;";
        }

        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        var subscription = broker.Machine.State.Groups.Find(OrderHistory.Group)?.Subscriptions.Values.FirstOrDefault();
        var open = subscription?.Cursors.Sum(static cursor => cursor.Lag);
        return open == 0 ? null : $"{open} messages of message groups are not finished;";
    }
}
