using System.Threading.Channels;
using Dledger.Broker;
using Dledger.Broker.Transactions;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Protocol.Node.V1;
using Microsoft.Extensions.Logging;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>
/// Asks a producer of the topic, wherever in the cluster it is connected, what shall become of a message; the topic's webhook when
/// there is none.
/// </summary>
/// <remarks>A question that gets lost does no harm: it is asked again.</remarks>
internal sealed class ProducerChecker(
    BrokerNode broker,
    FrontendOptions options,
    ProducerRegistry producers,
    ProducerQuestions questions,
    ProducerService nodes,
    Webhook webhook,
    ILogger logger) : ITransactionChecker
{
    /// <summary>Questions that wait; further ones are asked again in the next round.</summary>
    private const int WaitingMax = 10_000;

    private readonly Channel<TransactionQuestion> _waiting = Channel.CreateBounded<TransactionQuestion>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true });

    /// <inheritdoc/>
    public void Ask(TransactionQuestion question) => _waiting.Writer.TryWrite(question);

    /// <summary>Runs until it is stopped.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var question in _waiting.Reader.ReadAllAsync(cancellationToken))
            {
                if (await broker.ReadUndecidedAsync(question, cancellationToken) is { } undecided)
                {
                    Ask(question, undecided, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private void Ask(TransactionQuestion question, UndecidedMessage undecided, CancellationToken cancellationToken)
    {
        var asked = new ProducerQuestion
        {
            Topic = question.Topic,
            TransactionId = undecided.TransactionId,
            Check = question.Check,
            Message = DeliveryEncoder.Encode(
                undecided.Message,
                new Wire.Resource { Name = question.Topic },
                "",
                options.FindNode(options.Self)?.ClientAddress ?? ""),
        };
        var local = producers.Find(question.Topic).Count;
        var places = nodes.Nodes
            .Select(node => (Count: node.CountOf(question.Topic), Node: (WatchingNode?)node))
            .Where(place => place.Count > 0)
            .Prepend((Count: local, Node: null))
            .ToList();
        var total = (uint)places.Sum(place => place.Count);
        if (total == 0)
        {
            if (undecided.Webhook.IsSet)
            {
                webhook.Ask(question, undecided, cancellationToken);
            }
            else
            {
                FrontendEvents.NoProducerToAsk(logger, question.Topic, undecided.TransactionId);
            }

            return;
        }

        // Each producer has its turn; when the place whose turn it is has no room, the next one is asked.
        var turn = ProducerQuestions.TurnOf(undecided.TransactionId, question.Check);
        var first = PlaceOf([.. places.Select(place => place.Count)], turn % total);
        for (var i = 0; i < places.Count; i++)
        {
            var (count, node) = places[(first + i) % places.Count];
            if (count > 0 && (node is null ? questions.TryAsk(asked, turn) : node.TryAsk(asked)))
            {
                return;
            }
        }
    }

    private static int PlaceOf(IReadOnlyList<int> counts, uint index)
    {
        var place = 0;
        foreach (var count in counts)
        {
            if (index < count)
            {
                return place;
            }

            index -= (uint)count;
            place++;
        }

        return 0;
    }
}
