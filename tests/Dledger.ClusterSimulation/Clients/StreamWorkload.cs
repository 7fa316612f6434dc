using Dledger.Broker.Groups;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// What clients of streams do, in the runs that have them: batches of many records, deliveries that are settled by spans, and plain reading
/// of records.
/// </summary>
internal sealed class StreamWorkload
{
    private const int ProducerCount = 2;
    private const int ConsumerCount = 2;

    private readonly SimulatedCluster _cluster;
    private readonly List<BatchProducer> _producers = [];
    private readonly List<SliceReader> _readers = [];
    private readonly int _queueCount;
    private readonly bool _isOrdered;
    private readonly int _messageCount;

    private StreamWorkload(SimulatedCluster cluster, SimulationRandom random, SimulationRandom packing)
    {
        _cluster = cluster;
        Random = random;
        Packing = packing;
        _queueCount = 1 + random.Next(3);
        _isOrdered = random.Chance(0.25);
        _messageCount = (int)random.NextLogarithmic(20, 120);
        Knowledge = random.Pick([BatchKnowledge.Numbers, BatchKnowledge.Numbers, BatchKnowledge.Ids, BatchKnowledge.None]);
        Batches = new BatchHistory(cluster);
        Spans = new SpanHistory(cluster, Batches, _isOrdered);
    }

    /// <summary>What all of these clients draw from.</summary>
    public SimulationRandom Random { get; }

    /// <summary>What they draw from that concerns compression.</summary>
    public SimulationRandom Packing { get; }

    public BatchHistory Batches { get; }

    public SpanHistory Spans { get; }

    /// <summary>By what a repeat is known.</summary>
    public BatchKnowledge Knowledge { get; }

    /// <summary>Null in a run without streams.</summary>
    public static StreamWorkload? Draw(SimulatedCluster cluster, ulong seed) => cluster.Scenario.IsStreamed
        ? new StreamWorkload(
            cluster, new SimulationRandom(seed ^ Scenario.RecordStream ^ 1), new SimulationRandom(seed ^ Scenario.RecordStream ^ 2))
        : null;

    /// <summary>Makes topic and group, then starts the clients.</summary>
    /// <param name="topic">The topic that the other producers of the run send to: its queues are read as well.</param>
    public async Task StartAsync(string topic)
    {
        var spec = new TopicSpec
        {
            Name = SpanHistory.Topic,
            QueueCount = _queueCount,
            IdWindowTime = Knowledge == BatchKnowledge.Ids ? TimeSpan.FromHours(24) : TimeSpan.Zero,
        };

        // Attempts without end: no dead letter takes a message away.
        var group = new GroupSpec
        {
            Name = SpanHistory.Group,
            Fifo = _isOrdered,
            Settings = new GroupSettings { MaxAttempts = 10_000 },
        };
        await _cluster.Calls.UntilThereAsync(Random, broker => broker.CreateTopicAsync(spec, CancellationToken.None));
        await _cluster.Calls.UntilThereAsync(Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
        for (var i = 0; i < ProducerCount; i++)
        {
            var producer = new BatchProducer(_cluster, this, _queueCount) { Remaining = _messageCount };
            _producers.Add(producer);
            _cluster.Watch(producer.RunAsync());
        }

        for (var i = 0; i < ConsumerCount; i++)
        {
            _cluster.Watch(new SpanConsumer(_cluster, this, i).RunAsync());
        }

        _readers.Add(new SliceReader(
            _cluster, this, SpanHistory.Topic, _queueCount, () => Batches.TopicId, Batches.AckedEndOf));
        _readers.Add(new SliceReader(
            _cluster, this, topic, _cluster.Scenario.QueueCount, () => _cluster.Producing.TopicId, _cluster.Producing.AckedEndOf));
        _readers.ForEach(reader => _cluster.Watch(reader.RunAsync()));
    }

    /// <summary>With what a client takes whole batches this time.</summary>
    public IReadOnlyList<Compression> DrawUnpacks() =>
        Packing.Chance(0.3) ? [] : Packing.Chance(0.3) ? [Compression.Zlib] : [Compression.Lz4, Compression.Zlib];

    /// <summary>The last phase: a little more is sent, so that it is seen to work.</summary>
    public void Heal() => _producers.ForEach(producer => producer.Remaining = 6);

    /// <summary>What is not sent, not finished or not read, as a node that serves knows it; null when all is done.</summary>
    public string? DescribeOpen(IReadOnlyList<SimulatedNode> alive)
    {
        if (_producers.Sum(producer => producer.Remaining) is > 0 and var left)
        {
            return $"{left} messages of batches are not sent;";
        }

        if (alive.FirstOrDefault(node => node.Replication?.Status.IsServing == true)?.Broker is not { } broker)
        {
            return "nobody serves;";
        }

        var subscription = broker.Machine.State.Groups.Find(SpanHistory.Group)?.Subscriptions.Values.FirstOrDefault();
        return Spans.DescribeOpen(subscription?.Cursors.Sum(static cursor => cursor.Lag) ?? 0)
            ?? _readers.Select(reader => reader.DescribeRest()).FirstOrDefault(rest => rest is not null);
    }
}

/// <summary>By what the broker knows a message that is sent again.</summary>
internal enum BatchKnowledge
{
    /// <summary>It does not: nothing is sent twice.</summary>
    None,

    /// <summary>Numbers of its producer.</summary>
    Numbers,

    /// <summary>Its id.</summary>
    Ids,
}
