using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>The deliveries of a <see cref="QueueCursor"/>: a ring for the window, a map for what stays behind it.</summary>
/// <remarks>
/// <code>
///   0 ........................ Commit ................. Next ............ queue max
///   | finished, but for aside   |  one Delivery each     |  never looked at |
/// </code>
/// 0 &lt;= Commit &lt;= Next &lt;= queue max. The ring's capacity is a power of two. A delivery at Commit is never Done: finished ones at the
/// low end are dropped at once, and so is an aside one when it is finished.
/// </remarks>
internal sealed class DeliveryStore(long commit)
{
    private readonly Dictionary<long, Delivery> _aside = [];
    private Delivery[] _ring = [];
    private long _asideFloor = long.MaxValue;

    /// <summary>Everything below is finished but for what is aside.</summary>
    public long Commit { get; private set; } = commit;

    /// <summary>Everything from here on was never handed out, passed over or skipped.</summary>
    public long Next { get; private set; } = commit;

    /// <summary>Unfinished messages below Commit.</summary>
    public int AsideCount => _aside.Count;

    /// <summary>Finished messages above Commit.</summary>
    public int DoneCount { get; private set; }

    /// <summary>Offsets of what is aside, ascending.</summary>
    public long[] Aside
    {
        get
        {
            var offsets = _aside.Keys.ToArray();
            Array.Sort(offsets);
            return offsets;
        }
    }

    /// <summary>Whether a delivery is kept for the offset; all others below Next are finished.</summary>
    public bool Contains(long offset) => offset >= Commit ? offset < Next : _aside.ContainsKey(offset);

    /// <summary>The delivery of an offset that <see cref="Contains"/> is true for.</summary>
    public ref Delivery At(long offset)
    {
        if (offset >= Commit)
        {
            Invariant.Check(offset < Next, $"offset {offset} lies in [{Commit}, {Next})");
            return ref Slot(offset);
        }

        ref var delivery = ref CollectionsMarshal.GetValueRefOrNullRef(_aside, offset);
        Invariant.Check(!Unsafe.IsNullRef(ref delivery), $"offset {offset} below {Commit} is aside");
        return ref delivery;
    }

    /// <summary>Takes the next offset up; it waits.</summary>
    public ref Delivery Extend()
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

    /// <summary>Notes that the delivery of an offset became Done.</summary>
    public void Finished(long offset)
    {
        if (offset < Commit)
        {
            _aside.Remove(offset);
            return;
        }

        DoneCount++;
        AdvanceCommit();
    }

    /// <summary>Makes a finished message one that waits and was never handed out; Commit stays where it is.</summary>
    public ref Delivery Reopen(long offset)
    {
        if (offset < Commit)
        {
            RestoreAside(offset, default);
            return ref At(offset);
        }

        ref var delivery = ref At(offset);
        Invariant.Check(delivery.State == DeliveryState.Done, $"offset {offset} is {delivery.State}, not finished");
        DoneCount--;
        delivery = default;
        return ref delivery;
    }

    /// <summary>Moves Commit up to an offset; what is not finished below it stays aside. The answer is how many came to it.</summary>
    public int PutAside(long below)
    {
        var before = _aside.Count;
        below = Math.Min(below, Next);
        while (Commit < below)
        {
            ref var delivery = ref Slot(Commit);
            if (delivery.State == DeliveryState.Done)
            {
                DoneCount--;
            }
            else
            {
                RestoreAside(Commit, delivery);
            }

            delivery = default;
            Commit++;
        }

        AdvanceCommit();
        return _aside.Count - before;
    }

    /// <summary>Puts an aside delivery of a checkpoint in place.</summary>
    public void RestoreAside(long offset, in Delivery delivery)
    {
        _aside.Add(offset, delivery);
        _asideFloor = Math.Min(_asideFloor, offset);
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

    /// <summary>Offsets below a limit whose deliveries are kept and not Done, ascending.</summary>
    public List<long> UnfinishedBelow(long limit)
    {
        var offsets = new List<long>();
        if (_asideFloor < limit)
        {
            offsets.AddRange(_aside.Keys.Where(offset => offset < limit));
            offsets.Sort();
            _asideFloor = limit;
        }

        for (var offset = Commit; offset < Math.Min(limit, Next); offset++)
        {
            if (Slot(offset).State != DeliveryState.Done)
            {
                offsets.Add(offset);
            }
        }

        return offsets;
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

    private ref Delivery Slot(long offset) => ref _ring[offset & (_ring.Length - 1)];

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
