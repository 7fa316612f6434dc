using Dledger.Broker.Groups;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Auto-renewed leases that this leader granted, by the time of the next look. Volatile, owned by the apply loop.
/// </summary>
/// <remarks>
/// A lease is looked at <see cref="Lead"/> before it ends. All have the same term, so a new one belongs near the end. A
/// leader does not renew what another one granted: the answer may have been lost with that leader, and then only the
/// end
/// of the lease brings the messages back.
/// </remarks>
internal sealed class RenewalSchedule
{
    /// <summary>First term and every extension, in microseconds: 60 s.</summary>
    public const long Term = 60_000_000;

    /// <summary>Longest life of a lease, in microseconds: 3 h.</summary>
    public const long LifeMax = 3L * 3_600_000_000;

    private const long Lead = 20_000_000;

    private readonly LinkedList<Lease> _leases = new();

    /// <summary>Log time of the next look, or long.MaxValue.</summary>
    public long NextAt => _leases.First?.Value.RenewAt ?? long.MaxValue;

    public void Add(Lease lease)
    {
        if (lease.Deadline >= lease.StartedAt + LifeMax)
        {
            return;
        }

        lease.RenewAt = lease.Deadline - Lead;
        lease.RenewalNode ??= new LinkedListNode<Lease>(lease);
        if (lease.RenewalNode.List is not null)
        {
            return;
        }

        var before = _leases.Last;
        while (before is not null && before.Value.RenewAt > lease.RenewAt)
        {
            before = before.Previous;
        }

        if (before is null)
        {
            _leases.AddFirst(lease.RenewalNode);
        }
        else
        {
            _leases.AddAfter(before, lease.RenewalNode);
        }
    }

    /// <summary>
    /// Takes up to <paramref name="countMax"/> due leases whose client lives; those of dead clients are left to end.
    /// </summary>
    public List<Lease> TakeDue(long logTime, int countMax, Func<long, bool> isAlive)
    {
        var due = new List<Lease>();
        while (_leases.First is { } node && node.Value.RenewAt <= logTime && due.Count < countMax)
        {
            _leases.RemoveFirst();
            if (isAlive(node.Value.ClientHash))
            {
                due.Add(node.Value);
            }
        }

        return due;
    }

    public void Clear() => _leases.Clear();
}
