using Dledger.Broker.Commands;

namespace Dledger.Broker.Groups;

/// <summary>
/// Applies the choice of a Lease record to the cursors: what was looked at becomes known, what the filter leaves out is finished, what is
/// still available is bound to the lease. A pure function of state and record.
/// </summary>
internal sealed class LeaseTaking(SeededDefect defect)
{
    /// <summary>The part of one queue; without a lease nothing is handed out.</summary>
    public void Take(QueueCursor cursor, LeaseQueue queue, Lease? lease, bool countsAttempts)
    {
        cursor.PutAside(queue.AsideBelow);
        MakeKnown(cursor, queue);
        Skip(cursor, queue.Skipped);
        if (lease is not null)
        {
            Take(cursor, queue.Leased, lease, countsAttempts);
        }
    }

    // A record that begins behind what is known was made by a leader that knew more; nothing can be said about its new offsets.
    private static void MakeKnown(QueueCursor cursor, LeaseQueue queue)
    {
        if (!cursor.IsOrdered || queue.Base > cursor.Next)
        {
            return;
        }

        var end = Math.Min(queue.Base + queue.GroupHashes.Count, MaxOf(cursor));
        while (cursor.Next < end)
        {
            cursor.Extend(queue.GroupHashes[(int)(cursor.Next - queue.Base)]);
        }
    }

    private static void Skip(QueueCursor cursor, IReadOnlyList<OffsetRange> ranges)
    {
        foreach (var range in ranges)
        {
            for (var offset = range.First; offset < Math.Min(range.End, EndOf(cursor)); offset++)
            {
                if (cursor.IsAvailable(offset))
                {
                    cursor.Skip(offset);
                }
            }
        }
    }

    private void Take(QueueCursor cursor, IReadOnlyList<OffsetRange> ranges, Lease lease, bool countsAttempts)
    {
        foreach (var range in ranges)
        {
            for (var offset = range.First; offset < Math.Min(range.End, EndOf(cursor)); offset++)
            {
                if (!cursor.IsAvailable(offset)
                    || (defect != SeededDefect.OrderLockFreedAtExpiry && !cursor.IsNext(offset, lease)))
                {
                    continue;
                }

                var attempt = cursor.Take(offset, lease, countsAttempts);
                lease.Add(cursor, offset, attempt);
                if (lease.IsFinal)
                {
                    lease.ChangeOpenCount(-1);
                    cursor.Finish(offset);
                }
            }
        }
    }

    private static long EndOf(QueueCursor cursor) => cursor.IsOrdered ? cursor.Next : MaxOf(cursor);

    private static long MaxOf(QueueCursor cursor) => cursor.Subscription.Topic.Queues[cursor.QueueId].Max;
}
