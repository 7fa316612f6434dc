namespace Dledger.Broker.Groups;

/// <summary>Deliveries that become visible again together. Replicated state, owned by the apply loop.</summary>
/// <remarks>
/// A Lease record makes one with all that it handed out. A change of the invisible duration splits one delivery off into a lease of its
/// own that keeps the <see cref="DeliveryId"/>, so old receipt handles stay good. A back-off that the group's settings ask for is one
/// as well. A lease with no delivery left is dropped.
/// </remarks>
internal sealed class Lease
{
    /// <summary>Log position of the Lease record that handed the messages out; part of every receipt handle.</summary>
    public required long DeliveryId { get; init; }

    /// <summary>Grows with every lease; orders leases of one deadline.</summary>
    public required long Sequence { get; init; }

    public required Subscription Subscription { get; init; }

    /// <summary>Log time of the Lease record.</summary>
    public required long StartedAt { get; init; }

    /// <summary>How long each extension and the first term last.</summary>
    public required long InvisibleMicroseconds { get; init; }

    public required bool AutoRenew { get; init; }

    public required long ClientHash { get; init; }

    /// <summary>0 without an attempt id.</summary>
    public required UInt128 AttemptHash { get; init; }

    /// <summary>The redelivery does not count as an attempt.</summary>
    public required bool Suspend { get; init; }

    /// <summary>Made by a Lease record, not by a change of the invisible duration.</summary>
    public required bool IsOrigin { get; init; }

    /// <summary>Not a delivery any more: the messages rest until the group's back-off is over.</summary>
    public bool IsRest { get; init; }

    /// <summary>A push consumer gave the message back: it does not work on it, so it is not in flight.</summary>
    public bool IsReturned { get; init; }

    /// <summary>Of an at-most-once group: the messages were finished when they were handed out. Such a lease is never kept.</summary>
    public bool IsFinal { get; init; }

    /// <summary>Log time at which what is left becomes visible again.</summary>
    public required long Deadline { get; set; }

    /// <summary>
    /// What was handed out, in the order of the record; finished deliveries stay listed until the lease is dropped.
    /// </summary>
    public List<LeasedOffset> Offsets { get; } = [];

    /// <summary>Deliveries of <see cref="Offsets"/> that are still bound to this lease.</summary>
    public int OpenCount { get; private set; }

    /// <summary>Binds one more delivery.</summary>
    public void Add(QueueCursor cursor, long offset, int attempt)
    {
        Offsets.Add(new LeasedOffset(cursor, offset, attempt));
        ChangeOpenCount(1);
    }

    /// <summary>Notes that deliveries were bound or let go.</summary>
    public void ChangeOpenCount(int change)
    {
        OpenCount += change;
        if (!IsRest && !IsReturned)
        {
            Subscription.Group.InFlight.Change(ClientHash, change);
        }
    }

    /// <summary>Place in <see cref="LeaseHeap"/>; -1 outside.</summary>
    public int HeapIndex { get; set; } = -1;

    /// <summary>Place in the leader's volatile schedule of renewals; null outside.</summary>
    public LinkedListNode<Lease>? RenewalNode { get; set; }

    /// <summary>Log time at which the leader that granted the lease looks at it again; not replicated.</summary>
    public long RenewAt { get; set; }
}

/// <summary>A delivery of a lease.</summary>
/// <param name="Cursor">The queue's progress.</param>
/// <param name="Offset">The message.</param>
/// <param name="Attempt">Number of the delivery when it was made; only for answers.</param>
internal readonly record struct LeasedOffset(QueueCursor Cursor, long Offset, int Attempt)
{
    /// <summary>Whether it still belongs to the lease.</summary>
    public bool IsBoundTo(Lease lease) => Cursor.Contains(Offset) && ReferenceEquals(Cursor.At(Offset).Lease, lease);
}
