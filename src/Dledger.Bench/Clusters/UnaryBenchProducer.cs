using Dledger.Bench.Targets;
using Dledger.Client.Producing;

namespace Dledger.Bench.Clusters;

/// <summary>One call for each send.</summary>
internal sealed class UnaryBenchProducer(Producer producer, BenchNames names) : IBenchProducer
{
    private readonly MessageTemplates _templates = new(names);

    public Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken) =>
        producer.SendAsync(_templates.Fill(topic, bodies), cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
