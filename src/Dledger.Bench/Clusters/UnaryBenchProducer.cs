using Dledger.Bench.Targets;
using Dledger.Client.Producing;

namespace Dledger.Bench.Clusters;

/// <summary>One call for each send.</summary>
internal sealed class UnaryBenchProducer(Producer producer, BenchNames names) : IBenchProducer
{
    // Made once for each topic: a name in each message is garbage enough.
    private readonly System.Collections.Concurrent.ConcurrentDictionary<int, OutgoingMessage> _templates = new();

    public Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken)
    {
        var template = _templates.GetOrAdd(topic, static (number, names) => new OutgoingMessage(names.Topic(number), default), names);
        var messages = new OutgoingMessage[bodies.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            messages[i] = template with { Body = bodies[i] };
        }

        return producer.SendAsync(messages, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
