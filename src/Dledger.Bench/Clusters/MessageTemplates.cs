using System.Collections.Concurrent;
using Dledger.Client.Producing;

namespace Dledger.Bench.Clusters;

/// <summary>Messages of a topic, all alike but for their bodies. Made from one for each topic: a name for each message is garbage enough.</summary>
internal sealed class MessageTemplates(BenchNames names)
{
    private readonly ConcurrentDictionary<int, OutgoingMessage> _templates = new();

    public OutgoingMessage Fill(int topic, ReadOnlyMemory<byte> body) => Find(topic) with { Body = body };

    public OutgoingMessage[] Fill(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies)
    {
        var template = Find(topic);
        var messages = new OutgoingMessage[bodies.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            messages[i] = template with { Body = bodies[i] };
        }

        return messages;
    }

    private OutgoingMessage Find(int topic) =>
        _templates.GetOrAdd(topic, static (number, names) => new OutgoingMessage(names.Topic(number), default), names);
}
