using System.Collections.Concurrent;
using System.Globalization;
using Dledger.Bench.Targets;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Dledger.Benchmarks.Targets;

/// <summary>NATS JetStream: a topic is a stream of three replicas on files, a group a durable pull consumer of each stream.</summary>
/// <remarks>Clients are connected to the node that leads their stream or consumer, which spares the peer a hop between nodes.</remarks>
internal sealed class NatsTarget : IBenchTarget
{
    private const int ReplicaCount = 3;

    // One member holds what it has received while more comes: the default of 1,000 would be used up by a single batch in advance.
    private const int AckPendingMax = 1 << 16;
    private const int ReceiveMax = 1000;
    private const int SendMax = 100;

    private readonly IReadOnlyDictionary<string, string> _addresses;
    private readonly ConcurrentDictionary<string, NatsJSContext> _contexts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _streams = new(StringComparer.Ordinal);

    /// <param name="name">As it stands in tables.</param>
    /// <param name="addresses">Of the nodes, by their name in the cluster.</param>
    /// <param name="ack">What an acknowledgement of this cluster means.</param>
    public NatsTarget(string name, IReadOnlyDictionary<string, string> addresses, AckPromise ack)
    {
        _addresses = addresses;
        Name = name;
        Ack = ack;
    }

    public string Name { get; }

    public AckPromise Ack { get; }

    public BenchAbilities Abilities => BenchAbilities.Return | BenchAbilities.Groups;

    public int SendCountMax => SendMax;

    public int ReceiveCountMax => ReceiveMax;

    public async Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken)
    {
        var context = AnyContext();
        for (var topic = 0; topic < layout.TopicCount; topic++)
        {
            var name = StreamOf(topic);
            if (!_streams.Contains(name))
            {
                var configuration = new StreamConfig(name, [SubjectOf(topic)])
                {
                    NumReplicas = ReplicaCount,
                    Storage = StreamConfigStorage.File,
                };
                await context.CreateStreamAsync(configuration, cancellationToken);
                _streams.Add(name);
            }

            for (var group = 0; group < layout.GroupCount; group++)
            {
                var configuration = new ConsumerConfig(GroupOf(group))
                {
                    AckPolicy = ConsumerConfigAckPolicy.Explicit,
                    DeliverPolicy = ConsumerConfigDeliverPolicy.All,
                    MaxAckPending = AckPendingMax,
                };
                await context.CreateOrUpdateConsumerAsync(name, configuration, cancellationToken);
            }
        }
    }

    public async Task DestroyAsync(CancellationToken cancellationToken)
    {
        foreach (var stream in _streams)
        {
            await AnyContext().DeleteStreamAsync(stream, cancellationToken);
        }

        _streams.Clear();
    }

    public async Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken)
    {
        var leaders = new NatsJSContext[_streams.Count];
        for (var topic = 0; topic < leaders.Length; topic++)
        {
            var stream = await AnyContext().GetStreamAsync(StreamOf(topic), cancellationToken: cancellationToken);
            leaders[topic] = ContextOf(stream.Info.Cluster?.Leader);
        }

        return new NatsProducer(leaders, [.. Enumerable.Range(0, leaders.Length).Select(SubjectOf)]);
    }

    public async Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken)
    {
        var known = await AnyContext().GetConsumerAsync(StreamOf(topic), GroupOf(group), cancellationToken);
        var context = ContextOf(known.Info.Cluster?.Leader);
        var consumer = await context.GetConsumerAsync(StreamOf(topic), GroupOf(group), cancellationToken);
        return new NatsConsumer(consumer, ReceiveMax);
    }

    public Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken) =>
        throw new NotSupportedException("plain reading is not compared");

    public async ValueTask DisposeAsync()
    {
        foreach (var context in _contexts.Values)
        {
            await context.Connection.DisposeAsync();
        }
    }

    private static string StreamOf(int topic) => string.Create(CultureInfo.InvariantCulture, $"bench{topic}");

    private static string SubjectOf(int topic) => string.Create(CultureInfo.InvariantCulture, $"bench.{topic}");

    private static string GroupOf(int group) => string.Create(CultureInfo.InvariantCulture, $"group{group}");

    private NatsJSContext AnyContext() => ContextOf(null);

    // While a leader is being elected any node will do: it passes the message on.
    private NatsJSContext ContextOf(string? node) => _contexts.GetOrAdd(
        node is not null && _addresses.ContainsKey(node) ? node : _addresses.Keys.Order(StringComparer.Ordinal).First(),
        name => new NatsJSContext(new NatsConnection(new NatsOpts { Url = _addresses[name], Name = "dledger-bench" })));
}
