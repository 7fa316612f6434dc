using Dledger.Broker.Commands;
using Dledger.Broker.Groups;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Offsets of one queue that Lease records in flight will take, so that two receives do not choose the same; in an ordered group the message
/// groups of them. Volatile, the leader's only, owned by the apply loop. A wrong reservation costs an empty lease, never correctness:
/// apply decides.
/// </summary>
internal sealed class QueueReservation
{
    private readonly HashSet<long> _redeliveries = [];
    private readonly Dictionary<int, int> _groups = [];
    private int _holders;

    /// <summary>Never delivered offsets below this are spoken for.</summary>
    public long FreshFrom { get; private set; }

    /// <summary>Lease records in flight that touch the queue.</summary>
    public int InFlight { get; private set; }

    /// <summary>
    /// Whether a scan of an ordered group looks at new offsets. A record that begins behind them would be applied before the scan's own
    /// and say nothing, so nobody chooses new ones meanwhile.
    /// </summary>
    public bool IsFreshHeld => _holders > 0;

    /// <summary>Whether a known offset may be chosen.</summary>
    public bool IsFree(long redelivery, int groupHash, bool isOrdered) =>
        !_redeliveries.Contains(redelivery) && !(isOrdered && IsGroupReserved(groupHash));

    /// <summary>Whether a record in flight takes or passes over messages of the message group.</summary>
    public bool IsGroupReserved(int groupHash) => _groups.ContainsKey(groupHash);

    /// <summary>Notes what a record about to be proposed will take; the answer is what <see cref="Release"/> takes back.</summary>
    public IReadOnlyCollection<int> Reserve(LeaseQueue queue, QueueCursor? cursor)
    {
        InFlight++;
        var next = cursor?.Next ?? 0;
        var groups = new HashSet<int>(queue.GroupHashes);
        ReserveRanges(queue.Leased, cursor, next, groups);
        ReserveRanges(queue.Skipped, cursor, next, groups);
        ReserveRanges(queue.Repeats, cursor, next, groups);
        FreshFrom = Math.Max(FreshFrom, queue.Base + queue.GroupHashes.Count);
        foreach (var group in groups)
        {
            _groups[group] = _groups.GetValueOrDefault(group) + 1;
        }

        return groups;
    }

    /// <summary>The record was applied or failed. What a failed one left is offered again.</summary>
    public void Release(LeaseQueue queue, IReadOnlyCollection<int> groups, bool failed)
    {
        InFlight--;
        if (InFlight == 0)
        {
            // Nothing is spoken for, so whatever a dropped or failed record left behind can be offered again.
            _redeliveries.Clear();
            _groups.Clear();
            FreshFrom = 0;
            return;
        }

        foreach (var range in queue.Leased.Concat(queue.Skipped).Concat(queue.Repeats))
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                _redeliveries.Remove(offset);
            }
        }

        foreach (var group in groups)
        {
            if (--_groups[group] == 0)
            {
                _groups.Remove(group);
            }
        }

        if (failed)
        {
            FreshFrom = Math.Min(FreshFrom, First(queue));
        }
    }

    /// <summary>A scan of an ordered group begins.</summary>
    public void HoldFresh() => _holders++;

    /// <summary>It ended.</summary>
    public void FreeFresh() => _holders--;

    private static long First(LeaseQueue queue) => Math.Min(
        queue.GroupHashes.Count == 0 ? long.MaxValue : queue.Base,
        Math.Min(
            queue.Leased.Count == 0 ? long.MaxValue : queue.Leased[0].First,
            Math.Min(
                queue.Skipped.Count == 0 ? long.MaxValue : queue.Skipped[0].First,
                queue.Repeats.Count == 0 ? long.MaxValue : queue.Repeats[0].First)));

    private void ReserveRanges(IReadOnlyList<OffsetRange> ranges, QueueCursor? cursor, long next, HashSet<int> groups)
    {
        foreach (var range in ranges)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                if (offset >= next)
                {
                    FreshFrom = Math.Max(FreshFrom, offset + 1);
                    continue;
                }

                _redeliveries.Add(offset);

                // What a scan has looked at may have been finished since, by a seek or an ack: the record leaves it out when it is applied.
                if (cursor!.IsOrdered && cursor.Contains(offset))
                {
                    groups.Add(cursor.At(offset).GroupHash);
                }
            }
        }
    }
}
