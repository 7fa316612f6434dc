using System.Globalization;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;

namespace Dledger.Frontend.Messaging.Producing;

/// <summary>Reads the numbers that a producer gives its messages from the metadata of a send.</summary>
internal static class SequenceHeaders
{
    /// <summary>Null sequence when there are none; a violation when only some are there or one is no number.</summary>
    public static Violation? Read(ClientCall call, out ProducerSequence? sequence)
    {
        sequence = null;
        var id = call.Find(ClientHeaders.ProducerId);
        var epoch = call.Find(ClientHeaders.ProducerEpoch);
        var first = call.Find(ClientHeaders.Sequence);
        if (id is null && epoch is null && first is null)
        {
            return null;
        }

        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var producerId)
            || !int.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var producerEpoch)
            || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return new Violation(
                BrokenRule.Sequence,
                $"the headers {ClientHeaders.ProducerId}, {ClientHeaders.ProducerEpoch} and {ClientHeaders.Sequence} go together, "
                + "each a decimal number");
        }

        sequence = new ProducerSequence(producerId, producerEpoch, number);
        return null;
    }
}
