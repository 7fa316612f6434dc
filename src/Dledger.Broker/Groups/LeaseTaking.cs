using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;

namespace Dledger.Broker.Groups;

/// <summary>
/// Applies the choice of a Lease record to the cursors: what was looked at becomes known, what the filter leaves out is finished, what is
/// still available is bound to the lease. A pure function of state and record.
/// </summary>
internal sealed class LeaseTaking(SeededDefect defect)
{
    /// <summary>The part of one queue; without a lease nothing is handed out.</summary>
    public void Take(QueueCursor cursor, LeaseQueue queue, Lease? lease, bool countsAttempts, long logTime)
    {
        cursor.PutAside(queue.AsideBelow);
        MakeKnown(cursor, queue);
        Skip(cursor, queue.Skipped);
        FinishRepeats(cursor, queue);

        // A record from before the group began to remember what it processes has no keys: its receives are served anew.
        var isKeyed = queue.Keys.Count > 0 || !cursor.Subscription.Group.View.Settings.Dedup.IsOn;
        if (lease is not null && isKeyed)
        {
            TakeLeased(cursor, queue, lease, countsAttempts, logTime);
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

    // The leader found the keys among the processed ones; what was forgotten meanwhile is delivered later.
    private static void FinishRepeats(QueueCursor cursor, LeaseQueue queue)
    {
        var keys = cursor.Subscription.Group.Processed;
        var index = 0;
        foreach (var offset in OffsetRange.Enumerate(queue.Repeats))
        {
            if (keys.IsProcessed(queue.RepeatKeys[index++]) && offset < EndOf(cursor) && cursor.IsAvailable(offset))
            {
                cursor.Skip(offset);
                keys.CountRepeat();
            }
        }
    }

    private void TakeLeased(QueueCursor cursor, LeaseQueue queue, Lease lease, bool countsAttempts, long logTime)
    {
        var keys = cursor.Subscription.Group.Processed;
        var index = -1;
        foreach (var range in queue.Leased)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                index++;
                var key = index < queue.Keys.Count ? queue.Keys[index] : DedupKey.None;
                if (offset >= EndOf(cursor)
                    || !cursor.IsAvailable(offset)
                    || (key != DedupKey.None && (keys.IsProcessed(key) || (keys.IsHeld(key) && defect != SeededDefect.HeldKeyDelivered)))
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
                    keys.Add(key, logTime);
                }
                else if (key != DedupKey.None && !keys.IsHeld(key))
                {
                    keys.Hold(cursor.PlaceOf(offset), key);
                }
            }
        }
    }

    private static long EndOf(QueueCursor cursor) => cursor.IsOrdered ? cursor.Next : MaxOf(cursor);

    private static long MaxOf(QueueCursor cursor) => cursor.Subscription.Topic.Queues[cursor.QueueId].Max;
}
