using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// A topic of priorities with two producers and one consumer, in a third of the runs. Drawn from a stream of its own: the other runs are
/// as they would be without it.
/// </summary>
internal sealed class PriorityWorkload
{
    private const ulong Stream = 0x9410_0217_BA2D_5EED;

    private readonly SimulatedCluster _cluster;
    private readonly List<PriorityProducer> _producers = [];

    private PriorityWorkload(SimulatedCluster cluster, SimulationRandom random, ulong seed)
    {
        _cluster = cluster;
        BandCount = 2 + random.Next(4);
        MessageCount = (int)random.NextLogarithmic(8, 30);
        AckShare = random.Chance(0.3) ? 0.4 : 0.9;
        Random = new SimulationRandom(seed ^ Stream ^ 0x77);
        History = new PriorityHistory(cluster, BandCount);
    }

    public PriorityHistory History { get; }

    public SimulationRandom Random { get; }

    public int BandCount { get; }

    public double AckShare { get; }

    /// <summary>Whether the last messages are sent, so that the consumer finds a backlog in all bands.</summary>
    public bool IsAllSent => _producers.TrueForAll(producer => producer.Remaining == 0);

    private int MessageCount { get; }

    /// <summary>Null in most runs.</summary>
    public static PriorityWorkload? Draw(SimulatedCluster cluster, ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        return random.Chance(0.33) ? new PriorityWorkload(cluster, random, seed) : null;
    }

    /// <summary>Makes topic and group, then starts the clients.</summary>
    public async Task StartAsync()
    {
        var topic = new TopicSpec { Name = PriorityHistory.Topic, QueueCount = BandCount, AcceptedTypes = MessageTypeSet.Priority };
        var group = new GroupSpec { Name = PriorityHistory.Group, Settings = new GroupSettings { MaxAttempts = 10_000 } };
        await _cluster.Calls.UntilThereAsync(Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await _cluster.Calls.UntilThereAsync(Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
        for (var i = 0; i < 2; i++)
        {
            var producer = new PriorityProducer(_cluster, this) { Remaining = MessageCount };
            _producers.Add(producer);
            _cluster.Watch(producer.RunAsync());
        }

        _cluster.Watch(new PriorityConsumer(_cluster, this).RunAsync());
    }

    /// <summary>The last phase: some more for each band.</summary>
    public void Heal()
    {
        foreach (var producer in _producers)
        {
            producer.Remaining = 2 * BandCount;
        }
    }

    /// <summary>What is not sent or not finished, as a node that serves knows it; null when all is done.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (!IsAllSent)
        {
            return $"{_producers.Sum(producer => producer.Remaining)} messages with priorities are not sent;";
        }

        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        // Without a subscription nothing was delivered: all that the topic still keeps is open.
        var state = broker.Machine.State;
        var subscription = state.Groups.Find(PriorityHistory.Group)?.Subscriptions.Values.FirstOrDefault();
        var open = subscription is null
            ? state.Topics.Find(PriorityHistory.Topic)?.Queues.Sum(queue => queue.Max - queue.Min) ?? 0
            : subscription.Cursors.Sum(static cursor => cursor.Lag);
        return open == 0 ? null : $"{open} messages with priorities are not finished;";
    }
}
