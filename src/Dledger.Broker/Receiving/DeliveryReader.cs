using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Turns a grant into messages: reads each record on the calling thread, verifies it and checks its tag.
/// </summary>
internal sealed class DeliveryReader(IReplicatedLog log, ReceiptCodec receipts, ILogger logger)
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
        TagFilter filter,
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

            if (ReadRecord(granted, topic) is not { } bytes)
            {
                if (isOrdered)
                {
                    broken.Add((granted.QueueId, granted.GroupHash));
                }

                continue;
            }

            RecordView.TryParseUnchecked(bytes, out var record, out _);
            if (!filter.MatchesAll && !filter.Matches(MessageDecoder.ReadTag(record.Properties)))
            {
                mismatches.Add(delivery);
                continue;
            }

            var receipt = new Receipt(log.Group.Value, groupId, topicId, delivery, granted.Attempt);
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

    private byte[]? ReadRecord(in GrantedMessage granted, string topic)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(granted.Size);
        var count = log.Read(granted.Position, bytes);
        var fault = count == bytes.Length ? null : $"{count} of {bytes.Length} bytes are there";
        if (fault is null && RecordView.TryParseSealed(bytes, granted.Position, out _, out fault))
        {
            return bytes;
        }

        if (count == bytes.Length)
        {
            log.ReportUnreadable(granted.Position);
        }

        BrokerEvents.RecordUnreadable(
            logger, granted.Position, granted.QueueId, granted.Offset, topic, fault ?? "unknown");
        return null;
    }
}
