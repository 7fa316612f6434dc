using Dledger.Bench.Targets;
using Dledger.Client.Connections;
using Dledger.Client.Streaming;

namespace Dledger.Bench.Clusters;

/// <summary>A Dledger cluster by its streaming service: batches of records over long streams.</summary>
/// <param name="channel">Not closed here.</param>
/// <param name="ack">What its acknowledgement means.</param>
/// <param name="resources">Makes the topics and groups.</param>
public sealed class StreamTarget(DledgerChannel channel, AckPromise ack, BenchResources resources) : IBenchTarget
{
    private const int BatchCountMax = 1_024;

    /// <inheritdoc/>
    public string Name => "dledger stream";

    /// <inheritdoc/>
    public AckPromise Ack { get; } = ack;

    /// <inheritdoc/>
    public BenchAbilities Abilities => BenchAbilities.None;

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
        Task.FromResult<IBenchProducer>(new StreamBenchProducer(new StreamProducer(channel), resources.Names));

    /// <inheritdoc/>
    public Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Streams do not receive.");

    /// <inheritdoc/>
    public Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Streams do not read.");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
