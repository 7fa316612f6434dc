using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>
/// All leases by (deadline, sequence). A binary heap that knows where each lease lies, so any can be moved or removed.
/// </summary>
/// <remarks>
/// A hierarchical wheel would be cheaper per operation; leases are few (one per receive), and the heap gives the exact
/// order
/// that apply needs without a second sort. Owned by the apply loop.
/// </remarks>
internal sealed class LeaseHeap
{
    private readonly List<Lease> _leases = [];

    public int Count => _leases.Count;

    /// <summary>In no particular order.</summary>
    public IReadOnlyList<Lease> Leases => _leases;

    /// <summary>Earliest deadline, or long.MaxValue.</summary>
    public long NextDeadline => _leases.Count == 0 ? long.MaxValue : _leases[0].Deadline;

    /// <summary>The lease that ends first.</summary>
    public Lease Peek() => _leases[0];

    public void Add(Lease lease)
    {
        Invariant.Check(lease.HeapIndex < 0, "a lease is scheduled once");
        _leases.Add(lease);
        SiftUp(_leases.Count - 1, lease);
    }

    public void Remove(Lease lease)
    {
        var index = lease.HeapIndex;
        Invariant.Check(index >= 0 && ReferenceEquals(_leases[index], lease), "the lease is scheduled");
        lease.HeapIndex = -1;
        var last = _leases[^1];
        _leases.RemoveAt(_leases.Count - 1);
        if (!ReferenceEquals(last, lease))
        {
            Place(index, last);
        }
    }

    /// <summary>Moves a lease to a new deadline.</summary>
    public void Move(Lease lease, long deadline)
    {
        Invariant.Check(lease.HeapIndex >= 0, "the lease is scheduled");
        lease.Deadline = deadline;
        Place(lease.HeapIndex, lease);
    }

    private void Place(int index, Lease lease)
    {
        if (index > 0 && IsBefore(lease, _leases[(index - 1) / 2]))
        {
            SiftUp(index, lease);
        }
        else
        {
            SiftDown(index, lease);
        }
    }

    private void SiftUp(int index, Lease lease)
    {
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!IsBefore(lease, _leases[parent]))
            {
                break;
            }

            Set(index, _leases[parent]);
            index = parent;
        }

        Set(index, lease);
    }

    private void SiftDown(int index, Lease lease)
    {
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= _leases.Count)
            {
                break;
            }

            if (child + 1 < _leases.Count && IsBefore(_leases[child + 1], _leases[child]))
            {
                child++;
            }

            if (!IsBefore(_leases[child], lease))
            {
                break;
            }

            Set(index, _leases[child]);
            index = child;
        }

        Set(index, lease);
    }

    private void Set(int index, Lease lease)
    {
        _leases[index] = lease;
        lease.HeapIndex = index;
    }

    private static bool IsBefore(Lease left, Lease right) =>
        left.Deadline != right.Deadline ? left.Deadline < right.Deadline : left.Sequence < right.Sequence;
}
