using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Quotas;
using Dledger.Broker.Topics;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Chooses what a receive may take: redeliveries first, then new messages, queue by queue. The leader's only.
/// </summary>
/// <remarks>
/// It reads applied state minus reservations; the Lease record that comes out is a wish that apply checks again. In an ordered group it
/// passes over new messages whose message group is not free and notes them in the record, so that nobody looks at them in the index again:
/// they come up by themselves when what is before them is finished.
/// </remarks>
internal sealed class LeaseChooser(BrokerOptions options)
{
    /// <summary>
    /// Most index entries looked at for one choice, so that the apply loop is never held up for long.
    /// </summary>
    private const int ScanMax = 4_096;

    /// <summary>Passed over messages that are worth a record of their own.</summary>
    private const int PassedOverMin = 32;

    private const int BlockEntries = 32;

    private readonly List<LeaseQueue> _queues = [];
    private readonly QueueChoice _choice = new();
    private int _wanted;
    private int _scansLeft;
    private QuotaRoom _room;
    private LeftOffsets? _left;
    private HeldBack? _held;
    private ProcessedKeys? _keys;

    /// <summary>Messages to hand out in the last choice.</summary>
    public int LeasedCount { get; private set; }

    /// <summary>Bytes of their records.</summary>
    public long LeasedBytes { get; private set; }

    /// <summary>Size of the message at which the choice ended because it has more bytes than are left; 0: none.</summary>
    public int RefusedBytes { get; private set; }

    /// <summary>Whether anything is there to hand out or skip that is not reserved.</summary>
    public bool HasCandidates(Receivers receivers, TopicState topic, Subscription? subscription, ReceiveOperation operation)
    {
        var ids = QueuesOf(operation, topic);
        for (var i = 0; i < (ids?.Length ?? topic.Queues.Count); i++)
        {
            var queue = topic.Queues[ids?[i] ?? i];
            var cursor = subscription?.Cursors[queue.QueueId];
            var reservation = receivers.ReservationOf(queue.QueueId);
            var (from, to, _) = FreshRange(cursor, queue, reservation);
            if (from < to || (cursor is not null && HasUnreserved(cursor, reservation)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What to propose for an operation; null when there is nothing to hand out or skip.</summary>
    public LeaseCommand? Choose(
        ReceiveOperation operation,
        int countMax,
        QuotaRoom room,
        Receivers receivers,
        GroupState group,
        TopicState topic,
        Subscription? subscription) =>
        Choose(
            operation,
            operation.Filter.Tags,
            Math.Min(operation.BatchSize, countMax),
            room,
            null,
            receivers,
            group,
            topic,
            subscription);

    /// <summary>
    /// What the caller has to look at before it is known what to hand out: chosen as if all of it were wanted, without what it has
    /// already left to others, and in an ordered group without what waits behind that.
    /// </summary>
    public LeaseCommand? ChooseCandidates(
        ReceiveOperation operation,
        QuotaRoom room,
        Receivers receivers,
        GroupState group,
        TopicState topic,
        Subscription? subscription) =>
        Choose(
            operation, TagFilter.All, ScanGrant.CountMax, room, receivers.Left.Of(operation), receivers, group, topic, subscription);

    private LeaseCommand? Choose(
        ReceiveOperation operation,
        TagFilter filter,
        int batch,
        QuotaRoom room,
        LeftOffsets? left,
        Receivers receivers,
        GroupState group,
        TopicState topic,
        Subscription? subscription)
    {
        _queues.Clear();
        _wanted = batch;
        _room = room;
        LeasedBytes = 0;
        RefusedBytes = 0;
        _left = left;
        _held = group.View.Settings.Dedup.IsOn && !receivers.Held.IsEmpty ? receivers.Held : null;
        _keys = group.Processed;
        _scansLeft = ScanMax;
        var ids = QueuesOf(operation, topic);
        var count = ids?.Length ?? topic.Queues.Count;
        var next = receivers.NextQueue + 1;
        for (var i = 0; i < count && _wanted > 0 && _scansLeft > 0; i++)
        {
            var place = PlaceOf(i, count, receivers, topic);
            var queue = topic.Queues[ids?[place] ?? place];
            ChooseFrom(
                filter,
                group.View.Fifo,
                queue,
                subscription?.Cursors[queue.QueueId],
                receivers.ReservationOf(queue.QueueId));
            if (ids is not null && _queues.Count > 0 && _queues[^1].QueueId == queue.QueueId)
            {
                // Of thousands of lite topics few have messages: the next choice begins behind the last of these, not one further.
                next = place + 1;
            }
        }

        LeasedCount = batch - _wanted;
        receivers.NextQueue = count == 0 ? 0 : next % count;
        if (_queues.Count == 0)
        {
            return null;
        }

        _queues.Sort(static (left, right) => left.QueueId.CompareTo(right.QueueId));
        return new LeaseCommand(
            operation.GroupId,
            operation.TopicId,
            operation.InvisibleMicroseconds,
            operation.AutoRenew,
            operation.ClientHash,
            LeasedCount > 0 ? operation.AttemptHash : UInt128.Zero,
            HolderBefore(group, subscription),
            [.. _queues]);
    }

    // Bands of priority from the most urgent down; else all queues alike, so a full one cannot starve the others.
    private int PlaceOf(int turn, int count, Receivers receivers, TopicState topic) =>
        topic.View.IsPriority && options.Defect != SeededDefect.PriorityRoundRobin
            ? count - 1 - turn
            : (receivers.NextQueue + turn) % count;

    // Null stands for all. On a parent of lite topics those of the client's set: nothing else is looked at.
    private int[]? QueuesOf(ReceiveOperation operation, TopicState topic) =>
        topic.Lites is { } lites && options.Defect != SeededDefect.LiteSetIgnored ? operation.Lites!.QueuesIn(lites) : null;

    /// <summary>In an exclusive group the client whose place another one may take; else 0.</summary>
    public static long HolderBefore(GroupState group, Subscription? subscription) =>
        subscription is not null && group.View.Settings.Exclusive ? subscription.Holder : 0;

    private static bool HasUnreserved(QueueCursor cursor, QueueReservation reservation)
    {
        foreach (var offset in cursor.Ready)
        {
            if (reservation.IsFree(offset, cursor.At(offset).GroupHash, cursor.IsOrdered))
            {
                return true;
            }
        }

        return false;
    }

    // A window that is nearly full of messages that stay puts the older ones of them aside, as long as there is room for such.
    private (long From, long To, long AsideBelow) FreshRange(
        QueueCursor? cursor, QueueState queue, QueueReservation reservation)
    {
        var from = Math.Max(cursor?.Next ?? queue.Min, reservation.FreshFrom);
        if (reservation.IsFreshHeld)
        {
            return (from, from, 0);
        }

        var commit = cursor?.Commit ?? queue.Min;
        var asideBelow = 0L;
        if (cursor is not null && cursor.Next - commit >= options.DeliveryWindow * 3 / 4)
        {
            var below = cursor.Next - (options.DeliveryWindow / 4);
            if (cursor.Subscription.AsideCount + (below - commit) <= options.AsideMax)
            {
                asideBelow = below;
                commit = below;
            }
        }

        return (from, Math.Min(queue.Max, commit + options.DeliveryWindow), asideBelow);
    }

    private void ChooseFrom(
        TagFilter filter, bool isOrdered, QueueState queue, QueueCursor? cursor, QueueReservation reservation)
    {
        var (from, to, asideBelow) = FreshRange(cursor, queue, reservation);
        _choice.Begin();
        if (cursor is not null && (from == to || options.Defect != SeededDefect.OrderLockFreedAtExpiry))
        {
            ChooseKnown(filter, queue, cursor, reservation);
        }

        _choice.EndKnown();
        var first = from;
        Span<ConsumeQueueEntry> entries = stackalloc ConsumeQueueEntry[BlockEntries];
        while (from < to && _wanted > 0 && _scansLeft > 0)
        {
            var wanted = filter.MatchesAll && !isOrdered ? _wanted : BlockEntries;
            var length = (int)Math.Min(Math.Min(to - from, BlockEntries), wanted);
            var count = queue.Read(from, entries[..length]);
            for (var i = 0; i < count && _wanted > 0 && _scansLeft > 0; i++)
            {
                ConsiderFresh(filter, entries[i], queue.QueueId, from, isOrdered ? cursor : null, isOrdered, reservation);
                from++;
            }

            if (count == 0)
            {
                break;
            }
        }

        if (_choice.Leased.Count > 0 || _choice.Skipped.Count > 0 || _choice.Hashes.Count >= PassedOverMin)
        {
            _queues.Add(new LeaseQueue(queue.QueueId, [.. _choice.Leased], [.. _choice.Skipped])
            {
                AsideBelow = asideBelow,
                Base = isOrdered ? first : 0,
                GroupHashes = [.. _choice.Hashes],
            });
        }
    }

    private void ChooseKnown(TagFilter filter, QueueState queue, QueueCursor cursor, QueueReservation reservation)
    {
        foreach (var offset in cursor.Ready)
        {
            if (_wanted == 0 || _scansLeft == 0)
            {
                break;
            }

            var groupHash = cursor.At(offset).GroupHash;
            if (!reservation.IsFree(offset, groupHash, cursor.IsOrdered))
            {
                continue;
            }

            if (cursor.IsOrdered)
            {
                ChooseLane(filter, queue, cursor, groupHash);
            }
            else if (!IsLeft(queue.QueueId, offset))
            {
                Consider(filter, queue.Read(offset), offset);
            }
        }
    }

    private bool IsLeft(int queueId, long offset) =>
        _left?.Contains(queueId, offset) == true || _held?.Contains(queueId, offset, _keys!) == true;

    private void ChooseLane(TagFilter filter, QueueState queue, QueueCursor cursor, int groupHash)
    {
        foreach (var offset in cursor.LaneOf(groupHash)!.Offsets)
        {
            if (!cursor.Contains(offset) || cursor.At(offset).State == DeliveryState.Done)
            {
                continue;
            }

            if (_wanted == 0
                || _scansLeft == 0
                || cursor.At(offset).State != DeliveryState.Waiting
                || IsLeft(queue.QueueId, offset))
            {
                return;
            }

            var entry = queue.Read(offset);
            if (!MayTake(filter, entry))
            {
                return;
            }

            Consider(filter, entry, offset);
        }

        _choice.Free(groupHash);
    }

    private void ConsiderFresh(
        TagFilter filter,
        in ConsumeQueueEntry entry,
        int queueId,
        long offset,
        QueueCursor? cursor,
        bool isOrdered,
        QueueReservation reservation)
    {
        var isLeft = IsLeft(queueId, offset);
        if (!isOrdered)
        {
            if (!isLeft)
            {
                Consider(filter, entry, offset);
            }

            return;
        }

        var groupHash = IndexHash.GroupOf(entry.TagHash);
        if (isLeft)
        {
            _choice.Hashes.Add(groupHash);

            // Somebody else's, and what follows it in its message group waits for that.
            _scansLeft--;
            _choice.Close(groupHash);
            return;
        }

        var isMatch = filter.MayMatch(IndexHash.TagOf(entry.TagHash));
        var isFree = _choice.IsFree(groupHash)
            || (options.Defect == SeededDefect.OrderLockFreedAtExpiry && cursor?.LaneOf(groupHash)?.ReadyHead >= 0)
            || (!_choice.IsClosed(groupHash) && cursor?.LaneOf(groupHash) is null && !reservation.IsGroupReserved(groupHash));
        if (isFree && !MayTake(filter, entry))
        {
            // Not looked at: it is the next one's first.
            return;
        }

        _choice.Hashes.Add(groupHash);
        if (!isMatch || isFree)
        {
            Consider(filter, entry, offset);
        }
        else
        {
            _scansLeft--;
        }

        if (isMatch && !isFree)
        {
            _choice.Close(groupHash);
        }
        else if (isFree)
        {
            _choice.Free(groupHash);
        }
    }

    private void Consider(TagFilter filter, in ConsumeQueueEntry entry, long offset)
    {
        _scansLeft--;
        if (!filter.MayMatch(IndexHash.TagOf(entry.TagHash)))
        {
            _choice.Skip(offset);
        }
        else if (MayTake(filter, entry))
        {
            _choice.Lease(offset);
            _wanted--;
            LeasedBytes += entry.Size;
        }
    }

    // A message that is larger than the quota leaves ends the choice, so that smaller ones do not overtake it for ever.
    private bool MayTake(TagFilter filter, in ConsumeQueueEntry entry)
    {
        if (LeasedBytes + entry.Size <= _room.Bytes
            || (LeasedBytes == 0 && _room.TakesAny)
            || !filter.MayMatch(IndexHash.TagOf(entry.TagHash)))
        {
            return true;
        }

        RefusedBytes = entry.Size;
        _scansLeft = 0;
        return false;
    }
}
