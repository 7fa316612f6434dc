using Dledger.Bench.Targets;
using NATS.Client.JetStream;

namespace Dledger.Benchmarks.Targets;

/// <summary>Publishes into streams; every message is acknowledged by itself, a batch is many of them under way at once.</summary>
/// <param name="leaders">By topic: connected to the node that leads its stream.</param>
/// <param name="subjects">By topic.</param>
internal sealed class NatsProducer(NatsJSContext[] leaders, string[] subjects) : IBenchProducer
{
    public async Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken)
    {
        if (bodies.Count == 1)
        {
            await SendAsync(topic, bodies[0], cancellationToken);
            return;
        }

        var sends = new Task[bodies.Count];
        for (var i = 0; i < sends.Length; i++)
        {
            sends[i] = SendAsync(topic, bodies[i], cancellationToken);
        }

        await Task.WhenAll(sends);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task SendAsync(int topic, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var acknowledgement = await leaders[topic].PublishAsync(subjects[topic], body, cancellationToken: cancellationToken);
        acknowledgement.EnsureSuccess();
    }
}
