using System.Threading.Channels;
using Dledger.Protocol.Node.V1;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>Another node that tells this one, which leads, about its producers. Safe for any thread.</summary>
internal sealed class WatchingNode
{
    /// <summary>Questions that wait to be sent; further ones are asked again later.</summary>
    private const int WaitingMax = 256;

    private readonly Channel<ProducerQuestion> _waiting = Channel.CreateBounded<ProducerQuestion>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true });

    private volatile IReadOnlyDictionary<string, int> _topics = new Dictionary<string, int>();

    public ChannelReader<ProducerQuestion> Waiting => _waiting.Reader;

    public void Tell(NodeProducers producers)
    {
        var topics = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in producers.Topics)
        {
            topics[entry.Topic] = Math.Max(entry.Count, 0);
        }

        _topics = topics;
    }

    /// <summary>How many producers of a topic it has.</summary>
    public int CountOf(string topic) => _topics.GetValueOrDefault(topic);

    /// <summary>Never blocks; false when too much waits.</summary>
    public bool TryAsk(ProducerQuestion question) => _waiting.Writer.TryWrite(question);
}
