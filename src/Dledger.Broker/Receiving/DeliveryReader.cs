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
    /// <paramref name="now"/> goes to <paramref name="expired"/>. With <paramref name="rents"/> the records lie in rented arrays, which go
    /// back with <see cref="ReceiveOutcome.Return"/>.
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
        long now,
        bool rents)
    {
        var invisible = TimeSpan.FromMicroseconds(grant.InvisibleMicroseconds);
        var messages = new List<DeliveredMessage>(grant.Messages.Count);
        HashSet<(int QueueId, int GroupHash)>? broken = null;
        for (var i = 0; i < grant.Messages.Count; i++)
        {
            var granted = grant.Messages[i];
            var delivery = new DeliveryReference(granted.QueueId, granted.Offset, grant.DeliveryId);
            if (broken?.Contains((granted.QueueId, granted.GroupHash)) == true)
            {
                withheld.Add(delivery);
                continue;
            }

            if (ReadRecord(granted, topic, rents) is not { } bytes)
            {
                if (isOrdered)
                {
                    (broken ??= []).Add((granted.QueueId, granted.GroupHash));
                }

                continue;
            }

            RecordView.TryParseUnchecked(bytes.AsSpan(0, granted.Size), out var record, out _);
            var outcome = !filter.MatchesAll && !filter.Matches(record) ? mismatches
                : TimeToLive.IsOver(new PropertyEnumerator(record.Properties), record.StoreTime, now) ? expired
                : null;
            var message = new DeliveredMessage(
                bytes.AsMemory(0, granted.Size),
                new DeliveryContext(
                    topic,
                    granted.QueueId,
                    new QueueOffset(granted.Offset),
                    granted.Position,
                    granted.Attempt,
                    new Receipt(raftGroup, groupId, topicId, delivery, granted.Attempt),
                    invisible),
                receipts,
                rents ? bytes : null);
            if (outcome is null)
            {
                messages.Add(message);
            }
            else
            {
                outcome.Add(delivery);
                message.Return();
            }
        }

        return messages;
    }

    /// <summary>A verified record; null when it cannot be read, which is logged.</summary>
    public byte[]? ReadRecord(LogPosition position, int size, int queueId, long offset, string topic)
    {
        var bytes = records.Read(position, size, out var fault);
        NoteFault(bytes, position, queueId, offset, topic, fault);
        return bytes;
    }

    private byte[]? ReadRecord(in GrantedMessage granted, string topic, bool rents)
    {
        if (!rents)
        {
            return ReadRecord(granted.Position, granted.Size, granted.QueueId, granted.Offset, topic);
        }

        var bytes = records.ReadRented(granted.Position, granted.Size, out var fault);
        NoteFault(bytes, granted.Position, granted.QueueId, granted.Offset, topic, fault);
        return bytes;
    }

    private void NoteFault(byte[]? bytes, LogPosition position, int queueId, long offset, string topic, string? fault)
    {
        if (bytes is null)
        {
            BrokerEvents.RecordUnreadable(logger, position, queueId, offset, topic, fault ?? "unknown");
        }
    }
}
