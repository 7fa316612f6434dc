using Dledger.Broker.Groups;

namespace Dledger.Broker.Offsets;

/// <summary>Counts what a seek does to one queue. A function of the state; the apply loop's.</summary>
internal static class SeekPlan
{
    /// <summary>For a group that reads the queue.</summary>
    public static QueueSeek Of(QueueCursor cursor, long target)
    {
        var to = Clamp(cursor, target);
        long skipped = 0, repeated = Math.Max(0, cursor.Commit - to);
        foreach (var aside in cursor.Aside)
        {
            skipped += aside < to ? 1 : 0;
            repeated -= aside >= to && !WasBegun(cursor, aside) ? 1 : 0;
        }

        for (var offset = cursor.Commit; offset < cursor.Next; offset++)
        {
            if (offset < to)
            {
                skipped += cursor.At(offset).State == DeliveryState.Done ? 0 : 1;
            }
            else
            {
                repeated += WasBegun(cursor, offset) ? 1 : 0;
            }
        }

        skipped += Math.Max(0, to - cursor.Next);
        return new QueueSeek(cursor.QueueId, cursor.Commit, to, skipped, repeated, cursor.LeasedCount);
    }

    /// <summary>The nearest place that exists.</summary>
    public static long Clamp(QueueCursor cursor, long target)
    {
        var queue = cursor.Subscription.Topic.Queues[cursor.QueueId];
        return Math.Clamp(target, queue.Min, queue.Max);
    }

    private static bool WasBegun(QueueCursor cursor, long offset)
    {
        ref readonly var delivery = ref cursor.At(offset);
        return delivery.State != DeliveryState.Waiting || delivery.Attempts > 0;
    }
}
