using Dledger.Bench.Targets;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>A target that is closed together with the connection that it uses.</summary>
internal sealed class OwnedTarget(IBenchTarget target, IAsyncDisposable connection) : IBenchTarget
{
    public string Name => target.Name;

    public AckPromise Ack => target.Ack;

    public BenchAbilities Abilities => target.Abilities;

    public int SendCountMax => target.SendCountMax;

    public int ReceiveCountMax => target.ReceiveCountMax;

    public Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken) => target.PrepareAsync(layout, cancellationToken);

    public Task DestroyAsync(CancellationToken cancellationToken) => target.DestroyAsync(cancellationToken);

    public Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken) => target.OpenProducerAsync(cancellationToken);

    public Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken) =>
        target.OpenConsumerAsync(topic, group, cancellationToken);

    public Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken) =>
        target.OpenReaderAsync(topic, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await target.DisposeAsync();
        await connection.DisposeAsync();
    }
}
