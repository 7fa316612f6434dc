using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Streaming;
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
    /// <paramref name="now"/> goes to <paramref name="expired"/>. The records lie in <paramref name="arena"/>;
    /// without one each has an array of its own. Whole batches that are compressed with something in <paramref name="unpacks"/> and need
    /// no look at their messages stay so: they go to <paramref name="batches"/> with the place of their first message.
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
        RecordArena? arena,
        IReadOnlyList<Compression> unpacks,
        List<(int First, PackedBatch Batch)> batches)
    {
        var invisible = TimeSpan.FromMicroseconds(grant.InvisibleMicroseconds);
        var messages = new List<DeliveredMessage>(grant.Messages.Count);
        HashSet<(int QueueId, int GroupHash)>? broken = null;
        for (var i = 0; i < grant.Messages.Count; i++)
        {
            var granted = grant.Messages[i];
            if (unpacks.Count > 0
                && filter.MatchesAll
                && broken is null
                && grant.Unreadable is null
                && TryReadWhole(grant.Messages, i, unpacks, out var batch))
            {
                batches.Add((messages.Count, batch));
                for (var end = i + batch.Table.Count; i < end; i++)
                {
                    messages.Add(Message(default, grant.Messages[i]));
                }

                i--;
                continue;
            }

            var delivery = new DeliveryReference(granted.QueueId, granted.Offset, grant.DeliveryId);
            if (broken?.Contains((granted.QueueId, granted.GroupHash)) == true)
            {
                withheld.Add(delivery);
                continue;
            }

            if (grant.Unreadable?.Contains((granted.QueueId, granted.Offset)) == true
                || !TryReadRecord(granted, topic, arena, out var bytes))
            {
                if (isOrdered)
                {
                    (broken ??= []).Add((granted.QueueId, granted.GroupHash));
                }

                continue;
            }

            RecordView.TryParseUnchecked(bytes.Span, out var record, out _);
            var unwanted = !filter.MatchesAll && !filter.Matches(record) ? mismatches
                : TimeToLive.IsOver(new PropertyEnumerator(record.Properties), record.StoreTime, now) ? expired
                : null;
            if (unwanted is not null)
            {
                unwanted.Add(delivery);
                continue;
            }

            messages.Add(Message(bytes, granted));
        }

        return messages;

        DeliveredMessage Message(ReadOnlyMemory<byte> record, in GrantedMessage of) => new(
            record,
            new DeliveryContext(
                topic,
                of.QueueId,
                new QueueOffset(of.Offset),
                of.Position,
                of.Attempt,
                new Receipt(
                    raftGroup, groupId, topicId, new DeliveryReference(of.QueueId, of.Offset, grant.DeliveryId), of.Attempt),
                invisible),
            receipts);
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

    // What lives for a time has to be looked at.
    private bool TryReadWhole(
        IReadOnlyList<GrantedMessage> messages, int first, IReadOnlyList<Compression> unpacks, out PackedBatch batch)
    {
        var count = RecordSlice.CountRows(messages, first);
        batch = default;
        if (count <= 1 || !records.TryReadWhole(messages[first].Position, count, unpacks, out batch))
        {
            return false;
        }

        if (batch.Table.HasLifetimes)
        {
            batch.Return();
            return false;
        }

        return true;
    }

    private bool TryReadRecord(in GrantedMessage granted, string topic, RecordArena? arena, out ReadOnlyMemory<byte> record)
    {
        var room = arena?.Take(granted.Size) ?? GC.AllocateUninitializedArray<byte>(granted.Size);
        record = room;
        if (records.TryRead(granted.Position, room.Span, out var fault))
        {
            return true;
        }

        BrokerEvents.RecordUnreadable(logger, granted.Position, granted.QueueId, granted.Offset, topic, fault ?? "unknown");
        return false;
    }
}
