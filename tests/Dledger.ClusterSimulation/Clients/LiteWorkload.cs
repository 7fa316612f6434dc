using Dledger.Broker.Groups;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// A parent of lite topics with two producers and some consumers, each with lite topics of its own and one that two share, in a third of
/// the runs. Drawn from a stream of its own: the other runs are as they would be without it.
/// </summary>
internal sealed class LiteWorkload
{
    private const ulong Stream = 0x117E_70B1_C5A1_5EED;

    // Whether lite topics end, and what of that, is drawn apart: the other runs of this workload are as they were before.
    private const ulong EndStream = 0x117E_E4D5_0F71_3E5D;

    private readonly SimulatedCluster _cluster;
    private readonly List<LiteProducer> _producers = [];
    private readonly int _messageCount;
    private readonly TimeSpan _expiry;

    private LiteWorkload(SimulatedCluster cluster, SimulationRandom random, ulong seed)
    {
        _cluster = cluster;
        ConsumerCount = 2 + random.Next(2);
        NamesPerConsumer = 1 + random.Next(4);
        _messageCount = (int)random.NextLogarithmic(8, 40);
        AckShare = random.Chance(0.3) ? 0.4 : 0.9;
        Random = new SimulationRandom(seed ^ Stream ^ 0x77);
        History = new LiteHistory(cluster, (long)ExpiryOf(seed).TotalMicroseconds);
        _expiry = ExpiryOf(seed);
        EndRandom = new SimulationRandom(seed ^ EndStream ^ 0x77);
    }

    public LiteHistory History { get; }

    public SimulationRandom Random { get; }

    /// <summary>What the operator who deletes lite topics draws from.</summary>
    public SimulationRandom EndRandom { get; }

    public double AckShare { get; }

    /// <summary>All names that any client asks for.</summary>
    public IEnumerable<string> Names => Enumerable.Range(0, ConsumerCount).SelectMany(NamesOf).Distinct(StringComparer.Ordinal);

    private int ConsumerCount { get; }

    private int NamesPerConsumer { get; }

    /// <summary>Null in most runs.</summary>
    public static LiteWorkload? Draw(SimulatedCluster cluster, ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        return random.Chance(0.33) ? new LiteWorkload(cluster, random, seed) : null;
    }

    /// <summary>Whether lite topics end in a run that has some.</summary>
    public static bool EndsIn(ulong seed) => new SimulationRandom(seed ^ EndStream).Chance(0.7);

    /// <summary>The lite topics of a client: its own, and for the first two one in common.</summary>
    public IEnumerable<string> NamesOf(int consumer)
    {
        for (var i = 0; i < NamesPerConsumer; i++)
        {
            yield return $"c{consumer}-{i}";
        }

        if (consumer < 2)
        {
            yield return "shared";
        }
    }

    /// <summary>Makes topic and group, then starts the clients.</summary>
    public async Task StartAsync()
    {
        var topic = new TopicSpec { Name = LiteHistory.Topic, QueueCount = 1, AcceptedTypes = MessageTypeSet.Lite, LiteExpiry = _expiry };
        var group = new GroupSpec { Name = LiteHistory.Group, Settings = new GroupSettings { MaxAttempts = 10_000 } };
        await _cluster.Calls.UntilThereAsync(Random, broker => broker.CreateTopicAsync(topic, CancellationToken.None));
        await _cluster.Calls.UntilThereAsync(Random, broker => broker.CreateGroupAsync(group, CancellationToken.None));
        for (var i = 0; i < 2; i++)
        {
            var producer = new LiteProducer(_cluster, this) { Remaining = _messageCount };
            _producers.Add(producer);
            _cluster.Watch(producer.RunAsync());
        }

        if (_expiry < LiteSettings.Default.Expiry)
        {
            _cluster.Watch(new LiteOperator(_cluster, this).RunAsync());
        }

        for (var i = 0; i < ConsumerCount; i++)
        {
            _cluster.Watch(new LiteConsumer(_cluster, this, $"session-{i}", [.. NamesOf(i)]).RunAsync());
        }
    }

    /// <summary>The last phase: a little more is sent, so that it is seen to work.</summary>
    public void Heal()
    {
        foreach (var producer in _producers)
        {
            producer.Remaining = Math.Min(producer.Remaining, 3);
        }
    }

    /// <summary>What is not sent or has not reached its client; null when all is done.</summary>
    public string? DescribeOpen()
    {
        var unsent = _producers.Sum(producer => producer.Remaining);
        return unsent > 0 ? $"{unsent} messages of lite topics are not sent;"
            : History.OpenCount > 0 ? $"{History.OpenCount} messages of lite topics have reached nobody;"
            : null;
    }

    private static TimeSpan ExpiryOf(ulong seed) => EndsIn(seed) ? Limits.LiteExpiryMin : LiteSettings.Default.Expiry;
}
