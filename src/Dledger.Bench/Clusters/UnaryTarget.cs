using Dledger.Bench.Targets;
using Dledger.Client.Connections;
using Dledger.Client.Consuming;
using Dledger.Client.Producing;

namespace Dledger.Bench.Clusters;

/// <summary>A Dledger cluster by the calls of the RocketMQ 5 protocol: one call for each send, each receive and each acknowledgement.</summary>
/// <param name="channel">Not closed here. Producers and consumers share its connections.</param>
/// <param name="ack">What its acknowledgement means.</param>
/// <param name="resources">Makes the topics and groups.</param>
public sealed class UnaryTarget(DledgerChannel channel, AckPromise ack, BenchResources resources) : IBenchTarget
{
    private const int BatchCountMax = 1_024;
    private const int ReceiveMax = 32;

    /// <inheritdoc/>
    public string Name => "dledger v2";

    /// <inheritdoc/>
    public AckPromise Ack { get; } = ack;

    /// <inheritdoc/>
    public BenchAbilities Abilities => BenchAbilities.Groups | BenchAbilities.Return;

    /// <inheritdoc/>
    public int SendCountMax => BatchCountMax;

    /// <inheritdoc/>
    public int ReceiveCountMax => ReceiveMax;

    /// <inheritdoc/>
    public Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken) =>
        resources.PrepareAsync(layout, cancellationToken);

    /// <inheritdoc/>
    public Task DestroyAsync(CancellationToken cancellationToken) => resources.DestroyAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken)
    {
        // Messages without numbers, as the SDKs of RocketMQ send them.
        var producer = new Producer(channel, new ProducerOptions { IsNumbered = false });
        return Task.FromResult<IBenchProducer>(new UnaryBenchProducer(producer, resources.Names));
    }

    /// <inheritdoc/>
    public Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken) =>
        Task.FromResult<IBenchConsumer>(new UnaryBenchConsumer(
            new SimpleConsumer(channel, resources.Names.Group(group)), resources.Names.Topic(topic)));

    /// <inheritdoc/>
    public Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The calls of the RocketMQ protocol do not read without a group.");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
