using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Turns a grant into messages: reads each record on the calling thread, verifies it and checks its tag.
/// </summary>
internal sealed class DeliveryReader(RecordReader records, int raftGroup, ReceiptCodec receipts, ILogger logger)
{
    /// <summary>
    /// The messages of a grant. Those whose tag only shares its hash with the filter go to <paramref
    /// name="mismatches"/>;
    /// unreadable ones are logged and left to the end of their lease. In an ordered group nothing of the same message group may
    /// overtake them: it goes to <paramref name="withheld"/>. What has lived too long by
    /// <paramref name="now"/> goes to <paramref name="expired"/>.
    /// </summary>
    public List<DeliveredMessage> Read(
        ReceiveGrant grant,
        string topic,
        int groupId,
        int topicId,
        MessageFilter filter,
        bool isOrdered,
        List<DeliveryReference> mismatches,
        List<DeliveryReference> withheld,
        List<DeliveryReference> expired,
        long now)
    {
        var invisible = TimeSpan.FromMicroseconds(grant.InvisibleMicroseconds);
        var messages = new List<DeliveredMessage>(grant.Messages.Count);
        var broken = new HashSet<(int QueueId, int GroupHash)>();
        foreach (var granted in grant.Messages)
        {
            var delivery = new DeliveryReference(granted.QueueId, granted.Offset, grant.DeliveryId);
            if (broken.Contains((granted.QueueId, granted.GroupHash)))
            {
                withheld.Add(delivery);
                continue;
            }

            if (ReadRecord(granted.Position, granted.Size, granted.QueueId, granted.Offset, topic) is not { } bytes)
            {
                if (isOrdered)
                {
                    broken.Add((granted.QueueId, granted.GroupHash));
                }

                continue;
            }

            RecordView.TryParseUnchecked(bytes, out var record, out _);
            if (!filter.MatchesAll && !filter.Matches(record))
            {
                mismatches.Add(delivery);
                continue;
            }

            var receipt = new Receipt(raftGroup, groupId, topicId, delivery, granted.Attempt);
            var message = MessageDecoder.Decode(bytes, record, new DeliveryContext(
                topic,
                granted.QueueId,
                new QueueOffset(granted.Offset),
                granted.Position,
                granted.Attempt,
                receipts.Encode(receipt),
                invisible));
            if (TimeToLive.IsOver(message.UserProperties, message.StoreTimeMicroseconds, now))
            {
                expired.Add(delivery);
            }
            else
            {
                messages.Add(message);
            }
        }

        return messages;
    }

    /// <summary>A verified record; null when it cannot be read, which is logged.</summary>
    public byte[]? ReadRecord(LogPosition position, int size, int queueId, long offset, string topic)
    {
        if (records.Read(position, size, out var fault) is { } bytes)
        {
            return bytes;
        }

        BrokerEvents.RecordUnreadable(logger, position, queueId, offset, topic, fault ?? "unknown");
        return null;
    }
}
