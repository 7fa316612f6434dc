using Dledger.Frontend.Calls;
using Dledger.Protocol.Node.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>Puts questions to the producers of this node.</summary>
internal sealed class ProducerQuestions(ProducerRegistry producers)
{
    /// <summary>
    /// Asks one producer of the topic, beginning with the one whose turn it is; false when none is here or has room.
    /// </summary>
    /// <param name="question">The message and its transaction.</param>
    /// <param name="turn">Whose turn it is; any number.</param>
    public bool TryAsk(ProducerQuestion question, uint turn)
    {
        var streams = producers.Find(question.Topic);
        for (var i = 0u; i < streams.Count; i++)
        {
            var stream = streams[(int)((turn + i) % (uint)streams.Count)];
            if (stream.TrySend(Command(question, stream.Namespace)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whose turn it is: any one first, and the next one each time.</summary>
    public static uint TurnOf(string transactionId, int check)
    {
        var hash = 2_166_136_261u;
        foreach (var character in transactionId)
        {
            hash = (hash ^ character) * 16_777_619;
        }

        return hash + (uint)check;
    }

    // The topic as the producer's namespace calls it.
    private static Wire.TelemetryCommand Command(ProducerQuestion question, string resourceNamespace)
    {
        var message = question.Message.Clone();
        message.Topic = new Wire.Resource
        {
            ResourceNamespace = resourceNamespace,
            Name = ResourceNames.WithoutNamespace(question.Topic, resourceNamespace),
        };
        return new Wire.TelemetryCommand
        {
            Status = StatusMapping.Ok,
            RecoverOrphanedTransactionCommand = new Wire.RecoverOrphanedTransactionCommand
            {
                Message = message,
                TransactionId = question.TransactionId,
            },
        };
    }
}
