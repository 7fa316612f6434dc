using System.Numerics;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>A group's progress in one queue. Replicated state, owned by the apply loop.</summary>
/// <remarks>
/// <code>
///   0 ........ Commit ................. Next ............ queue max
///   | finished |  one Delivery each     |  never looked at |
/// </code>
/// 0 &lt;= Commit &lt;= Next &lt;= queue max. The deliveries lie in a ring whose capacity is a power of two. A delivery
/// at Commit
/// is never Done: finished ones at the low end are dropped at once.
/// </remarks>
internal sealed class QueueCursor
{
    /// <summary>
    /// Most deliveries between Commit and Next. The leader stays below it; a Lease record that was on its way when the group was moved
    /// far back would not.
    /// </summary>
    public const int LengthMax = 65_536;

    private readonly SortedSet<long> _waiting = [];
    private Delivery[] _ring = [];

    public QueueCursor(Subscription subscription, int queueId, long commit)
    {
        Subscription = subscription;
        QueueId = queueId;
        Commit = commit;
        Next = commit;
    }

    public Subscription Subscription { get; }

    public int QueueId { get; }

    /// <summary>Everything below is finished.</summary>
    public long Commit { get; private set; }

    /// <summary>Everything from here on was never handed out or skipped.</summary>
    public long Next { get; private set; }

    /// <summary>Offsets in [Commit, Next) that may be handed out, ascending.</summary>
    public SortedSet<long> Waiting => _waiting;

    /// <summary>Deliveries that are invisible.</summary>
    public int LeasedCount { get; private set; }

    /// <summary>Deliveries that wait for their copy in the dead letter topic.</summary>
    public int ObligedCount { get; private set; }

    /// <summary>Finished messages above Commit.</summary>
    public int DoneCount { get; private set; }

    /// <summary>Whether a FIFO group may take the next batch: nothing of the last one is open.</summary>
    public bool IsUnlocked => LeasedCount == 0 && ObligedCount == 0;

    /// <summary>The delivery of an offset in [Commit, Next).</summary>
    public ref readonly Delivery At(long offset) => ref Slot(offset);

    /// <summary>Whether an offset of the queue may be handed out or skipped.</summary>
    public bool IsAvailable(long offset) =>
        offset >= Next
            ? offset - Commit < LengthMax
            : offset >= Commit && Slot(offset).State == DeliveryState.Waiting;

    /// <summary>Hands an available offset out; the answer is the number of this attempt, from 1 on.</summary>
    public int Take(long offset, Lease lease, bool countsAttempt = true)
    {
        ref var delivery = ref MakeAvailable(offset);
        delivery.State = DeliveryState.Leased;
        delivery.Attempts = (ushort)Math.Min(delivery.Attempts + (countsAttempt ? 1 : 0), ushort.MaxValue);
        delivery.DeliveryId = lease.DeliveryId;
        delivery.Lease = lease;
        LeasedCount++;
        return delivery.Attempts;
    }

    /// <summary>Finishes an available offset without delivery.</summary>
    public void Skip(long offset)
    {
        ref var delivery = ref MakeAvailable(offset);
        delivery.State = DeliveryState.Done;
        DoneCount++;
        AdvanceCommit();
    }

    /// <summary>Puts a leased offset under another deadline.</summary>
    public void Rebind(long offset, Lease lease)
    {
        ref var delivery = ref Slot(offset);
        Invariant.Check(delivery.State == DeliveryState.Leased, $"offset {offset} is {delivery.State}");
        delivery.Lease = lease;
    }

    /// <summary>Finishes a leased or obliged offset.</summary>
    public void Finish(long offset)
    {
        ref var delivery = ref Slot(offset);
        LeaveOpen(ref delivery, offset);
        delivery.State = DeliveryState.Done;
        DoneCount++;
        AdvanceCommit();
    }

    /// <summary>Makes a leased offset visible again.</summary>
    public void Release(long offset, bool forgetAttempt)
    {
        ref var delivery = ref Slot(offset);
        LeaveOpen(ref delivery, offset);
        delivery.State = DeliveryState.Waiting;
        if (forgetAttempt && delivery.Attempts > 0)
        {
            delivery.Attempts--;
        }

        _waiting.Add(offset);
    }

    /// <summary>Marks a leased offset as out of attempts.</summary>
    public void Oblige(long offset)
    {
        ref var delivery = ref Slot(offset);
        LeaveOpen(ref delivery, offset);
        delivery.State = DeliveryState.Obliged;
        ObligedCount++;
    }

    /// <summary>
    /// Rebuilds one delivery from a checkpoint; offsets come ascending from Commit on. Leases are bound afterwards.
    /// </summary>
    public void Restore(DeliveryState state, int attempts, long deliveryId)
    {
        var offset = Next;
        ref var delivery = ref Extend();
        delivery.Attempts = checked((ushort)attempts);
        delivery.DeliveryId = deliveryId;
        delivery.State = state;
        switch (state)
        {
            case DeliveryState.Waiting:
                _waiting.Add(offset);
                break;
            case DeliveryState.Leased:
                LeasedCount++;
                break;
            case DeliveryState.Done:
                DoneCount++;
                break;
            case DeliveryState.Obliged:
                ObligedCount++;
                break;
            default:
                Invariant.Fail($"a stored delivery has state {state}");
                break;
        }
    }

    /// <summary>Goes on behind messages that were never looked at and are gone.</summary>
    public void AdvanceTo(long offset)
    {
        if (offset > Next)
        {
            Invariant.Check(Commit == Next, $"nothing below {Next} is open when the queue begins at {offset}");
            Commit = offset;
            Next = offset;
        }
    }

    /// <summary>Begins anew at an offset: nothing from there on was ever handed out. Leases are taken off before.</summary>
    public void Reset(long offset)
    {
        _waiting.Clear();
        _ring = [];
        LeasedCount = 0;
        ObligedCount = 0;
        DoneCount = 0;
        Commit = offset;
        Next = offset;
    }

    private void LeaveOpen(ref Delivery delivery, long offset)
    {
        switch (delivery.State)
        {
            case DeliveryState.Leased:
                LeasedCount--;
                break;
            case DeliveryState.Obliged:
                ObligedCount--;
                break;
            default:
                Invariant.Fail($"offset {offset} is {delivery.State}, not open");
                break;
        }

        delivery.Lease = null;
    }

    private ref Delivery MakeAvailable(long offset)
    {
        Invariant.Check(IsAvailable(offset), $"offset {offset} is available in [{Commit}, {Next})");
        if (offset < Next)
        {
            _waiting.Remove(offset);
            return ref Slot(offset);
        }

        // What a record leaves out on its way up has not been delivered and can be.
        while (Next < offset)
        {
            _waiting.Add(Next);
            Extend();
        }

        return ref Extend();
    }

    private ref Delivery Extend()
    {
        if (Next - Commit == _ring.Length)
        {
            Grow();
        }

        Next++;
        ref var delivery = ref Slot(Next - 1);
        delivery = default;
        return ref delivery;
    }

    private void AdvanceCommit()
    {
        while (Commit < Next && Slot(Commit).State == DeliveryState.Done)
        {
            Slot(Commit) = default;
            Commit++;
            DoneCount--;
        }
    }

    private ref Delivery Slot(long offset)
    {
        Invariant.Check(offset >= Commit && offset < Next, $"offset {offset} lies in [{Commit}, {Next})");
        return ref _ring[offset & (_ring.Length - 1)];
    }

    private void Grow()
    {
        var ring = new Delivery[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, _ring.Length * 2))];
        for (var offset = Commit; offset < Next; offset++)
        {
            ring[offset & (ring.Length - 1)] = _ring[offset & (_ring.Length - 1)];
        }

        _ring = ring;
    }
}
