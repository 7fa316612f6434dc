using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Topics;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Chooses what a receive may take: redeliveries first, then new messages, queue by queue. The leader's only.
/// </summary>
/// <remarks>It reads applied state minus reservations; the Lease record that comes out is a wish that apply checks
/// again.</remarks>
internal sealed class LeaseChooser(int deliveryWindow, SeededDefect defect = SeededDefect.None)
{
    /// <summary>
    /// Most index entries looked at for one choice, so that the apply loop is never held up for long.
    /// </summary>
    private const int ScanMax = 4_096;

    private const int BlockEntries = 32;

    private readonly List<LeaseQueue> _queues = [];
    private int _wanted;
    private int _scansLeft;
    private LeftOffsets? _left;

    /// <summary>Messages to hand out in the last choice.</summary>
    public int LeasedCount { get; private set; }

    /// <summary>Whether anything is there to hand out or skip that is not reserved.</summary>
    public bool HasCandidates(Receivers receivers, GroupState group, TopicState topic, Subscription? subscription)
    {
        foreach (var queue in topic.Queues)
        {
            var cursor = subscription?.Cursors[queue.QueueId];
            var reservation = receivers.ReservationOf(queue.QueueId);
            if (!IsOpen(group, cursor, reservation))
            {
                continue;
            }

            var (from, to) = FreshRange(cursor, queue, reservation);
            if (from < to)
            {
                return true;
            }

            if (cursor is not null && cursor.Waiting.Count > 0 && HasUnreserved(cursor, reservation))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What to propose for an operation; null when there is nothing to hand out or skip.</summary>
    public LeaseCommand? Choose(
        ReceiveOperation operation, Receivers receivers, GroupState group, TopicState topic, Subscription? subscription) =>
        Choose(operation, operation.Filter.Tags, operation.BatchSize, null, receivers, group, topic, subscription);

    /// <summary>
    /// What the caller has to look at before it is known what to hand out: chosen as if all of it were wanted, without what it has
    /// already left to others.
    /// </summary>
    public LeaseCommand? ChooseCandidates(
        ReceiveOperation operation, Receivers receivers, GroupState group, TopicState topic, Subscription? subscription) =>
        Choose(
            operation, TagFilter.All, ScanGrant.CountMax, receivers.Left.Of(operation), receivers, group, topic, subscription);

    private LeaseCommand? Choose(
        ReceiveOperation operation,
        TagFilter filter,
        int countMax,
        LeftOffsets? left,
        Receivers receivers,
        GroupState group,
        TopicState topic,
        Subscription? subscription)
    {
        _queues.Clear();
        _wanted = countMax;
        _left = left;
        _scansLeft = ScanMax;
        for (var i = 0; i < topic.Queues.Count && _wanted > 0 && _scansLeft > 0; i++)
        {
            var queue = topic.Queues[(receivers.NextQueue + i) % topic.Queues.Count];
            var cursor = subscription?.Cursors[queue.QueueId];
            var reservation = receivers.ReservationOf(queue.QueueId);
            if (IsOpen(group, cursor, reservation))
            {
                ChooseFrom(filter, queue, cursor, reservation);
            }
        }

        LeasedCount = countMax - _wanted;
        receivers.NextQueue = (receivers.NextQueue + 1) % topic.Queues.Count;
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
            [.. _queues]);
    }

    // A FIFO group gets one batch of a queue at a time; a batch on its way counts.
    private static bool IsOpen(GroupState group, QueueCursor? cursor, QueueReservation reservation) =>
        !group.View.Fifo || (reservation.InFlight == 0 && cursor?.IsUnlocked != false);

    private static bool HasUnreserved(QueueCursor cursor, QueueReservation reservation)
    {
        foreach (var offset in cursor.Waiting)
        {
            if (!reservation.IsReserved(offset))
            {
                return true;
            }
        }

        return false;
    }

    private (long From, long To) FreshRange(QueueCursor? cursor, QueueState queue, QueueReservation reservation)
    {
        var commit = cursor?.Commit ?? queue.Min;
        var from = Math.Max(cursor?.Next ?? queue.Min, reservation.FreshFrom);
        return (from, Math.Min(queue.Max, commit + deliveryWindow));
    }

    private void ChooseFrom(TagFilter filter, QueueState queue, QueueCursor? cursor, QueueReservation reservation)
    {
        var leased = new List<OffsetRange>();
        var skipped = new List<OffsetRange>();
        var (from, to) = FreshRange(cursor, queue, reservation);
        if (cursor is not null && (from == to || defect != SeededDefect.OrderLockFreedAtExpiry))
        {
            foreach (var offset in cursor.Waiting)
            {
                if (_wanted == 0 || _scansLeft == 0)
                {
                    break;
                }

                if (!reservation.IsReserved(offset) && _left?.Contains(queue.QueueId, offset) != true)
                {
                    Consider(filter, queue.Read(offset), offset, leased, skipped);
                }
            }
        }

        Span<ConsumeQueueEntry> entries = stackalloc ConsumeQueueEntry[BlockEntries];
        while (from < to && _wanted > 0 && _scansLeft > 0)
        {
            var length = (int)Math.Min(Math.Min(to - from, BlockEntries), filter.MatchesAll ? _wanted : BlockEntries);
            var count = queue.Read(from, entries[..length]);
            for (var i = 0; i < count && _wanted > 0; i++)
            {
                if (_left?.Contains(queue.QueueId, from) != true)
                {
                    Consider(filter, entries[i], from, leased, skipped);
                }

                from++;
            }

            if (count == 0)
            {
                break;
            }
        }

        if (leased.Count > 0 || skipped.Count > 0)
        {
            _queues.Add(new LeaseQueue(queue.QueueId, leased, skipped));
        }
    }

    private void Consider(
        TagFilter filter, in ConsumeQueueEntry entry, long offset, List<OffsetRange> leased, List<OffsetRange> skipped)
    {
        _scansLeft--;
        if (filter.MayMatch(entry.TagHash))
        {
            OffsetRange.Append(leased, offset);
            _wanted--;
        }
        else
        {
            OffsetRange.Append(skipped, offset);
        }
    }
}
