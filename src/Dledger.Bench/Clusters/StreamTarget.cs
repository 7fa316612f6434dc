using Dledger.Bench.Targets;
using Dledger.Client.Administration;
using Dledger.Client.Connections;
using Dledger.Client.Streaming;

namespace Dledger.Bench.Clusters;

/// <summary>A Dledger cluster by its streaming service: batches of records over long streams.</summary>
/// <param name="channel">Not closed here.</param>
/// <param name="ack">What its acknowledgement means.</param>
/// <param name="resources">Makes the topics and groups.</param>
/// <param name="receiveCount">Most messages of one delivery to a group, 1 to 1,024: a stream is told so when it is opened.</param>
/// <param name="compression">What producers compress batches with.</param>
public sealed class StreamTarget(
    DledgerChannel channel,
    AckPromise ack,
    BenchResources resources,
    int receiveCount,
    BatchCompression compression = BatchCompression.None) : IBenchTarget
{
    private const int BatchCountMax = 1_024;

    /// <inheritdoc/>
    public string Name => compression == BatchCompression.None
        ? "dledger stream"
        : $"dledger stream, {compression.ToString().ToUpperInvariant()}";

    /// <inheritdoc/>
    public AckPromise Ack { get; } = ack;

    /// <inheritdoc/>
    public BenchAbilities Abilities => BenchAbilities.Groups | BenchAbilities.Return | BenchAbilities.PlainRead;

    /// <inheritdoc/>
    public int SendCountMax => BatchCountMax;

    /// <inheritdoc/>
    public int ReceiveCountMax => BatchCountMax;

    /// <inheritdoc/>
    public Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken) =>
        resources.PrepareAsync(layout, cancellationToken);

    /// <inheritdoc/>
    public Task DestroyAsync(CancellationToken cancellationToken) => resources.DestroyAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IBenchProducer>(new StreamBenchProducer(
            new StreamProducer(channel, new StreamProducerOptions { Compression = compression }), resources.Names));

    /// <inheritdoc/>
    public Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken)
    {
        var options = new StreamConsumerOptions
        {
            BatchCountMax = Math.Min(receiveCount, BatchCountMax),
            InvisibleDuration = TimeSpan.FromMinutes(1),
        };
        return Task.FromResult<IBenchConsumer>(new StreamBenchConsumer(
            new StreamConsumer(channel, resources.Names.Group(group), resources.Names.Topic(topic), options)));
    }

    /// <inheritdoc/>
    public async Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken)
    {
        var name = resources.Names.Topic(topic);
        var description = await new AdminClient(channel).DescribeTopicAsync(name, cancellationToken);
        return new StreamBenchReader(
            [.. description.Queues.Select(queue => new QueueReader(channel, name, queue.QueueId, queue.MinOffset))]);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
