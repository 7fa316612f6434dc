using System.Globalization;
using Dledger.Bench.Targets;
using RabbitMQ.Client;

namespace Dledger.Benchmarks.Targets;

/// <summary>RabbitMQ: a group is a quorum queue of three members for each topic.</summary>
/// <remarks>
/// With one group a message goes straight to its queue; with several it goes through a fan-out exchange of the topic. A queue is led by
/// the node on which it was declared, and that is the one that all clients are connected to, which spares the peer a hop between nodes.
/// </remarks>
internal sealed class RabbitTarget(string name, int port, AckPromise ack) : IBenchTarget
{
    private const int MemberCount = 3;

    // What RabbitMQ's own guide recommends as the most that is pushed without an acknowledgement.
    private const int Prefetch = 256;
    private const int ReceiveMax = Prefetch;
    private const int SendMax = 100;

    private readonly SemaphoreSlim _lock = new(1, 1);
    private IConnection? _connection;
    private int _topicCount;
    private int _groupCount;

    public string Name { get; } = name;

    public AckPromise Ack { get; } = ack;

    public BenchAbilities Abilities => BenchAbilities.Return | BenchAbilities.Groups;

    public int SendCountMax => SendMax;

    public int ReceiveCountMax => ReceiveMax;

    public async Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken)
    {
        // Without a queue a message would be thrown away.
        var groupCount = Math.Max(1, layout.GroupCount);
        var connection = await ConnectAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var arguments = new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-quorum-initial-group-size"] = MemberCount,
        };
        for (var topic = 0; topic < layout.TopicCount; topic++)
        {
            if (groupCount > 1)
            {
                await channel.ExchangeDeclareAsync(
                    ExchangeOf(topic), ExchangeType.Fanout, durable: true, cancellationToken: cancellationToken);
            }

            for (var group = 0; group < groupCount; group++)
            {
                await channel.QueueDeclareAsync(
                    QueueOf(topic, group),
                    durable: true,
                    exclusive: false,
                    autoDelete: false,
                    arguments,
                    cancellationToken: cancellationToken);
                if (groupCount > 1)
                {
                    await channel.QueueBindAsync(QueueOf(topic, group), ExchangeOf(topic), "", cancellationToken: cancellationToken);
                }
            }
        }

        _topicCount = Math.Max(_topicCount, layout.TopicCount);
        _groupCount = Math.Max(_groupCount, groupCount);
    }

    public async Task DestroyAsync(CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        for (var topic = 0; topic < _topicCount; topic++)
        {
            for (var group = 0; group < _groupCount; group++)
            {
                await channel.QueueDeleteAsync(
                    QueueOf(topic, group), ifUnused: false, ifEmpty: false, cancellationToken: cancellationToken);
            }

            await channel.ExchangeDeleteAsync(ExchangeOf(topic), cancellationToken: cancellationToken);
        }

        _topicCount = 0;
        _groupCount = 0;
    }

    public async Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken);
        var options = new CreateChannelOptions(
            publisherConfirmationsEnabled: true,
            publisherConfirmationTrackingEnabled: true,
            // The workload bounds what is under way.
            outstandingPublisherConfirmationsRateLimiter: null);
        var channel = await connection.CreateChannelAsync(options, cancellationToken);
        var addresses = Enumerable.Range(0, _topicCount)
            .Select(topic => _groupCount > 1
                ? (Exchange: ExchangeOf(topic), RoutingKey: "")
                : (Exchange: "", RoutingKey: QueueOf(topic, 0)))
            .ToArray();
        return new RabbitProducer(channel, addresses);
    }

    public async Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken);
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        return await RabbitConsumer.StartAsync(channel, QueueOf(topic, group), Prefetch, cancellationToken);
    }

    public Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken) =>
        throw new NotSupportedException("a queue cannot be read without taking from it");

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        _lock.Dispose();
    }

    private static string QueueOf(int topic, int group) => string.Create(CultureInfo.InvariantCulture, $"bench.{topic}.{group}");

    private static string ExchangeOf(int topic) => string.Create(CultureInfo.InvariantCulture, $"bench.{topic}");

    private async Task<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken);
        try
        {
            var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = port, ClientProvidedName = "dledger-bench" };
            return _connection ??= await factory.CreateConnectionAsync(cancellationToken);
        }
        finally
        {
            _lock.Release();
        }
    }
}
