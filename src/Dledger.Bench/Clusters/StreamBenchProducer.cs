using Dledger.Bench.Targets;
using Dledger.Client.Streaming;

namespace Dledger.Bench.Clusters;

/// <summary>Sends over one stream. Single messages gather into batches there; several of one send are a batch of their own.</summary>
internal sealed class StreamBenchProducer(StreamProducer producer, BenchNames names) : IBenchProducer
{
    private readonly MessageTemplates _templates = new(names);

    public Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken) =>
        bodies.Count == 1
            ? producer.SendAsync(_templates.Fill(topic, bodies[0]), cancellationToken)
            : producer.SendAsync(_templates.Fill(topic, bodies), cancellationToken);

    public ValueTask DisposeAsync() => producer.DisposeAsync();
}
