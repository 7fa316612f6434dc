using Dledger.Broker.Commands;

namespace Dledger.Broker.Deduplication;

/// <summary>
/// Sorts what a receive may take by its keys: what is handed out, what is finished because it was processed, and what waits for another
/// message of its key. The leader's only; apply checks it again.
/// </summary>
internal static class KeyedLeases
{
    /// <summary>The queues of a Lease record, and how many messages it hands out. What waits is noted.</summary>
    public static (IReadOnlyList<LeaseQueue> Queues, int LeasedCount) Sort(
        IReadOnlyList<LeaseQueue> queues, ProcessedKeys keys, HeldBack held, SeededDefect defect)
    {
        var taken = new HashSet<UInt128>();
        var sorted = new List<LeaseQueue>(queues.Count);
        var count = 0;
        foreach (var queue in queues)
        {
            var leased = new List<OffsetRange>();
            var leasedKeys = new List<UInt128>();
            var repeats = new List<OffsetRange>();
            var repeatKeys = new List<UInt128>();
            var index = 0;
            foreach (var offset in OffsetRange.Enumerate(queue.Leased))
            {
                var key = queue.Keys[index++];
                if (key != DedupKey.None && keys.IsProcessed(key))
                {
                    OffsetRange.Append(repeats, offset);
                    repeatKeys.Add(key);
                }
                else if (key != DedupKey.None && ((keys.IsHeld(key) && defect != SeededDefect.HeldKeyDelivered) || !taken.Add(key)))
                {
                    held.Add(queue.QueueId, offset, key);
                }
                else
                {
                    OffsetRange.Append(leased, offset);
                    leasedKeys.Add(key);
                }
            }

            count += leasedKeys.Count;
            if (leased.Count + repeats.Count + queue.Skipped.Count > 0)
            {
                sorted.Add(queue with { Leased = leased, Keys = leasedKeys, Repeats = repeats, RepeatKeys = repeatKeys });
            }
        }

        return (sorted, count);
    }
}
