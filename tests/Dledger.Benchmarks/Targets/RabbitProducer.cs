using Dledger.Bench.Targets;
using RabbitMQ.Client;

namespace Dledger.Benchmarks.Targets;

/// <summary>Publishes with publisher confirms; every message is confirmed by itself, a batch is many of them under way at once.</summary>
/// <param name="channel">With confirmations tracked: a publish ends when it is confirmed, and throws when it is refused.</param>
/// <param name="addresses">By topic.</param>
internal sealed class RabbitProducer(IChannel channel, (string Exchange, string RoutingKey)[] addresses) : IBenchProducer
{
    private static readonly BasicProperties Persistent = new() { DeliveryMode = DeliveryModes.Persistent };

    public async Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken)
    {
        if (bodies.Count == 1)
        {
            await PublishAsync(topic, bodies[0], cancellationToken);
            return;
        }

        var publishes = new Task[bodies.Count];
        for (var i = 0; i < publishes.Length; i++)
        {
            publishes[i] = PublishAsync(topic, bodies[i], cancellationToken).AsTask();
        }

        await Task.WhenAll(publishes);
    }

    public ValueTask DisposeAsync() => channel.DisposeAsync();

    // Mandatory: a message that no queue takes is a failure, not a confirm.
    private ValueTask PublishAsync(int topic, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        channel.BasicPublishAsync(
            addresses[topic].Exchange, addresses[topic].RoutingKey, mandatory: true, Persistent, body, cancellationToken);
}
