namespace Dledger.Broker.Groups;

/// <summary>
/// Where live leases are found: by deadline, by the record that made them, by attempt. Owned by the apply loop.
/// </summary>
internal sealed class LeaseIndex
{
    private readonly LeaseHeap _heap = new();
    private readonly Dictionary<long, Lease> _origins = [];

    /// <summary>Earliest deadline, or long.MaxValue.</summary>
    public long NextDeadline => _heap.NextDeadline;

    /// <summary>The lease that ends first.</summary>
    public Lease First => _heap.Peek();

    /// <summary>In no particular order.</summary>
    public IReadOnlyList<Lease> All => _heap.Leases;

    /// <summary>The live lease that a Lease record made.</summary>
    public Lease? FindOrigin(long deliveryId) => _origins.GetValueOrDefault(deliveryId);

    public void Add(Lease lease)
    {
        _heap.Add(lease);
        if (!lease.IsOrigin)
        {
            return;
        }

        _origins.Add(lease.DeliveryId, lease);
        if (lease.AttemptHash != UInt128.Zero)
        {
            lease.Subscription.LeaseByAttempt[lease.AttemptHash] = lease;
        }
    }

    /// <summary>Moves a lease to a new deadline.</summary>
    public void Move(Lease lease, long deadline) => _heap.Move(lease, deadline);

    public void Remove(Lease lease)
    {
        _heap.Remove(lease);
        lease.RenewalNode?.List?.Remove(lease.RenewalNode);
        if (!lease.IsOrigin)
        {
            return;
        }

        _origins.Remove(lease.DeliveryId);
        if (lease.AttemptHash != UInt128.Zero)
        {
            lease.Subscription.LeaseByAttempt.Remove(lease.AttemptHash);
        }
    }
}
