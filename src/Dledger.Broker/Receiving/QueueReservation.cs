using Dledger.Broker.Commands;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Offsets of one queue that Lease records in flight will take, so that two receives do not choose the same. Volatile,
/// the
/// leader's only, owned by the apply loop. A wrong reservation costs an empty lease, never correctness: apply decides.
/// </summary>
internal sealed class QueueReservation
{
    private readonly HashSet<long> _redeliveries = [];

    /// <summary>Never delivered offsets below this are spoken for.</summary>
    public long FreshFrom { get; private set; }

    /// <summary>Lease records in flight that touch the queue.</summary>
    public int InFlight { get; private set; }

    public bool IsReserved(long redelivery) => _redeliveries.Contains(redelivery);

    /// <summary>Notes what a record about to be proposed will take.</summary>
    public void Reserve(LeaseQueue queue, long next)
    {
        InFlight++;
        Visit(queue, next, static (reservation, offset, isFresh) =>
        {
            if (isFresh)
            {
                reservation.FreshFrom = Math.Max(reservation.FreshFrom, offset + 1);
            }
            else
            {
                reservation._redeliveries.Add(offset);
            }
        });
    }

    /// <summary>The record was applied or failed. What a failed one left is offered again.</summary>
    public void Release(LeaseQueue queue, bool failed)
    {
        InFlight--;
        if (InFlight == 0)
        {
            // Nothing is spoken for, so whatever a dropped or failed record left behind can be offered again.
            _redeliveries.Clear();
            FreshFrom = 0;
            return;
        }

        Visit(queue, long.MaxValue, static (reservation, offset, _) => reservation._redeliveries.Remove(offset));
        if (failed)
        {
            FreshFrom = Math.Min(FreshFrom, First(queue));
        }
    }

    private static long First(LeaseQueue queue) => Math.Min(
        queue.Leased.Count == 0 ? long.MaxValue : queue.Leased[0].First,
        queue.Skipped.Count == 0 ? long.MaxValue : queue.Skipped[0].First);

    private void Visit(LeaseQueue queue, long next, Action<QueueReservation, long, bool> visit)
    {
        foreach (var range in queue.Leased)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                visit(this, offset, offset >= next);
            }
        }

        foreach (var range in queue.Skipped)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                visit(this, offset, offset >= next);
            }
        }
    }
}
