using Dledger.Broker.Commands;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>
/// All leases and what happens to them: the pop consumption of raft-and-storage.md 5.2. Replicated state, owned by the
/// apply loop; every method is a pure function of the state and its arguments.
/// </summary>
internal sealed class LeaseTable(SeededDefect defect = SeededDefect.None)
{
    private readonly LeaseIndex _index = new();
    private readonly SortedSet<Obligation> _obligations = [];

    /// <summary>The sequence that the next lease gets.</summary>
    public long NextSequence { get; private set; } = 1;

    /// <summary>Log time at which the next lease ends, or long.MaxValue.</summary>
    public long NextDeadline => _index.NextDeadline;

    /// <summary>Live leases in no particular order.</summary>
    public IReadOnlyList<Lease> All => _index.All;

    /// <summary>Messages whose copy in a dead letter topic is owed.</summary>
    public SortedSet<Obligation> Obligations => _obligations;

    /// <summary>
    /// Subscriptions that may have gained something to hand out; the machine empties it after each frame.
    /// </summary>
    public HashSet<Subscription> Touched { get; } = [];

    /// <summary>The live lease that a Lease record made.</summary>
    public Lease? FindOrigin(long deliveryId) => _index.FindOrigin(deliveryId);

    /// <summary>
    /// Hands out what is still available of a Lease record's choice. The answer is the lease, null when nothing was
    /// left;
    /// when the attempt has a live lease, that one, unchanged.
    /// </summary>
    public Lease? Take(
        Subscription subscription, LeaseCommand command, long deliveryId, long logTime, bool countsAttempts = true)
    {
        var repeated = command.AttemptHash != UInt128.Zero
            && subscription.LeaseByAttempt.TryGetValue(command.AttemptHash, out var earlier)
                ? earlier
                : null;
        var lease = repeated is not null
            ? null
            : new Lease
            {
                DeliveryId = deliveryId,
                Sequence = NextSequence++,
                Subscription = subscription,
                StartedAt = logTime,
                InvisibleMicroseconds = command.InvisibleMicroseconds,
                AutoRenew = command.AutoRenew,
                ClientHash = command.ClientHash,
                AttemptHash = command.AttemptHash,
                Suspend = false,
                IsOrigin = true,
                Deadline = logTime + command.InvisibleMicroseconds,
            };
        foreach (var queue in command.Queues)
        {
            if (queue.QueueId < 0 || queue.QueueId >= subscription.Cursors.Count)
            {
                continue;
            }

            var cursor = subscription.Cursors[queue.QueueId];
            Skip(cursor, queue.Skipped);
            if (lease is not null)
            {
                Take(cursor, queue.Leased, lease, countsAttempts);
            }
        }

        Touched.Add(subscription);
        if (lease is null || lease.OpenCount == 0)
        {
            return repeated;
        }

        _index.Add(lease);
        return lease;
    }

    /// <summary>What a receipt still stands for.</summary>
    public DeliveryVerdict Locate(Subscription? subscription, in DeliveryReference reference) =>
        Locate(subscription, reference, out _);

    /// <summary>Finishes one delivery. Null on success, also when the message is finished already.</summary>
    public BrokerFailure? Finish(Subscription? subscription, in DeliveryReference reference)
    {
        var verdict = Locate(subscription, reference, out var cursor);
        if (verdict != DeliveryVerdict.Live)
        {
            return verdict == DeliveryVerdict.Finished ? null : Stale(reference);
        }

        Detach(cursor!, reference.Offset);
        cursor!.Finish(reference.Offset);
        Touched.Add(cursor.Subscription);
        return null;
    }

    /// <summary>Moves one delivery's deadline. Null on success.</summary>
    public BrokerFailure? Change(Subscription? subscription, ChangeInvisibleCommand command, long logTime)
    {
        Invariant.Check(command.Change is not null, "a change names its delivery");
        var reference = command.Change.Value;
        if (Locate(subscription, reference, out var cursor) != DeliveryVerdict.Live)
        {
            return Stale(reference);
        }

        var before = Detach(cursor!, reference.Offset);
        var lease = new Lease
        {
            DeliveryId = before.DeliveryId,
            Sequence = NextSequence++,
            Subscription = before.Subscription,
            StartedAt = before.StartedAt,
            InvisibleMicroseconds = command.InvisibleMicroseconds,
            AutoRenew = false,
            ClientHash = before.ClientHash,
            AttemptHash = UInt128.Zero,
            Suspend = command.Suspend,
            IsOrigin = false,
            Deadline = logTime + command.InvisibleMicroseconds,
        };
        lease.Offsets.Add(new LeasedOffset(cursor!, reference.Offset));
        lease.OpenCount = 1;
        cursor!.Rebind(reference.Offset, lease);
        if (command.InvisibleMicroseconds <= 0)
        {
            End(lease);
        }
        else
        {
            _index.Add(lease);
        }

        return null;
    }

    /// <summary>
    /// Extends a live lease, at most to <paramref name="lifeMax"/> after its start; never shortens it.
    /// </summary>
    public Lease? Renew(long deliveryId, long microseconds, long lifeMax, long logTime)
    {
        if (FindOrigin(deliveryId) is not { } lease)
        {
            return null;
        }

        var deadline = Math.Min(logTime + microseconds, lease.StartedAt + lifeMax);
        if (deadline > lease.Deadline)
        {
            _index.Move(lease, deadline);
        }

        return lease;
    }

    /// <summary>
    /// Whether a Forward record takes effect: its delivery is live, or the state machine asked for it. The message is
    /// then
    /// finished. A second Forward of one message finds it finished, so exactly one copy is made.
    /// </summary>
    public ForwardVerdict Forward(Subscription? subscription, in DeliveryReference reference)
    {
        if (reference.DeliveryId != 0)
        {
            var verdict = Locate(subscription, reference, out var leased);
            if (verdict == DeliveryVerdict.Finished && defect == SeededDefect.DeadLetterTwice)
            {
                return ForwardVerdict.Copied;
            }

            if (verdict != DeliveryVerdict.Live)
            {
                return verdict == DeliveryVerdict.Finished ? ForwardVerdict.Repeated : ForwardVerdict.Stale;
            }

            Detach(leased!, reference.Offset);
            leased!.Finish(reference.Offset);
            Touched.Add(leased.Subscription);
            return ForwardVerdict.Copied;
        }

        if (subscription is null
            || !_obligations.Remove(new Obligation(
                subscription.Group.View.Id, subscription.Topic.Id, reference.QueueId, reference.Offset)))
        {
            return ForwardVerdict.Repeated;
        }

        subscription.Cursors[reference.QueueId].Finish(reference.Offset);
        Touched.Add(subscription);
        return ForwardVerdict.Copied;
    }

    /// <summary>
    /// Ends leases that are due, earliest first, until about <paramref name="budget"/> messages are through.
    /// </summary>
    public void Expire(long logTime, int budget)
    {
        while (budget > 0 && _index.NextDeadline <= logTime)
        {
            var lease = _index.First;
            budget -= lease.Offsets.Count;
            _index.Remove(lease);
            End(lease);
        }
    }

    /// <summary>Ends everything about the messages below an offset: they are gone.</summary>
    public void DropBelow(QueueCursor cursor, long min)
    {
        if (cursor.Commit >= min)
        {
            return;
        }

        var subscription = cursor.Subscription;
        var end = Math.Min(min, cursor.Next);

        // Finishing moves the commit offset along, over messages that were finished before as well.
        for (var offset = cursor.Commit; offset < end; offset = Math.Max(offset + 1, cursor.Commit))
        {
            switch (cursor.At(offset).State)
            {
                case DeliveryState.Waiting:
                    cursor.Skip(offset);
                    break;
                case DeliveryState.Leased:
                    Detach(cursor, offset);
                    cursor.Finish(offset);
                    break;
                case DeliveryState.Obliged:
                    _obligations.Remove(new Obligation(
                        subscription.Group.View.Id, subscription.Topic.Id, cursor.QueueId, offset));
                    cursor.Finish(offset);
                    break;
            }
        }

        cursor.AdvanceTo(min);
        Touched.Add(subscription);
    }

    /// <summary>
    /// Takes a group to another offset of a queue. All that had begun there ends: leases, owed dead letters, what was finished ahead.
    /// </summary>
    public void Reset(QueueCursor cursor, long offset)
    {
        var subscription = cursor.Subscription;
        for (var open = cursor.Commit; open < cursor.Next; open++)
        {
            switch (cursor.At(open).State)
            {
                case DeliveryState.Leased when defect != SeededDefect.SeekLeavesLeases:
                    Detach(cursor, open);
                    break;
                case DeliveryState.Obliged:
                    _obligations.Remove(new Obligation(
                        subscription.Group.View.Id, subscription.Topic.Id, cursor.QueueId, open));
                    break;
                default:
                    break;
            }
        }

        cursor.Reset(offset);
        Touched.Add(subscription);
    }

    /// <summary>Forgets all leases and obligations of subscriptions that end.</summary>
    public void Forget(Func<Subscription, bool> ends)
    {
        foreach (var lease in _index.All.Where(lease => ends(lease.Subscription)).ToList())
        {
            _index.Remove(lease);
        }
    }

    /// <summary>Forgets the obligations of a removed group or topic.</summary>
    public void ForgetObligations(Predicate<Obligation> ends) => _obligations.RemoveWhere(ends);

    /// <summary>Puts a lease read from a checkpoint in place and binds its deliveries.</summary>
    public void Restore(Lease lease)
    {
        foreach (var (cursor, offset) in lease.Offsets)
        {
            Invariant.Check(
                offset >= cursor.Commit && offset < cursor.Next && cursor.At(offset).DeliveryId == lease.DeliveryId,
                $"offset {offset} of a stored lease is leased by it");
            cursor.Rebind(offset, lease);
        }

        lease.OpenCount = lease.Offsets.Count;
        _index.Add(lease);
    }

    /// <summary>Ends a restore.</summary>
    public void RestoreNextSequence(long next) => NextSequence = next;

    private static void Skip(QueueCursor cursor, IReadOnlyList<OffsetRange> ranges)
    {
        var max = cursor.Subscription.Topic.Queues[cursor.QueueId].Max;
        foreach (var range in ranges)
        {
            for (var offset = range.First; offset < Math.Min(range.End, max); offset++)
            {
                if (cursor.IsAvailable(offset))
                {
                    cursor.Skip(offset);
                }
            }
        }
    }

    private void Take(QueueCursor cursor, IReadOnlyList<OffsetRange> ranges, Lease lease, bool countsAttempts)
    {
        var isFifo = cursor.Subscription.Group.View.Fifo;
        var max = cursor.Subscription.Topic.Queues[cursor.QueueId].Max;
        if (isFifo && !cursor.IsUnlocked)
        {
            return;
        }

        foreach (var range in ranges)
        {
            for (var offset = range.First; offset < Math.Min(range.End, max); offset++)
            {
                if (!cursor.IsAvailable(offset))
                {
                    continue;
                }

                // In order means: nothing that is not finished lies before the offset, except this batch itself.
                if (isFifo
                    && defect != SeededDefect.OrderLockFreedAtExpiry
                    && (offset > cursor.Next || (cursor.Waiting.Count > 0 && cursor.Waiting.Min < offset)))
                {
                    return;
                }

                cursor.Take(offset, lease, countsAttempts);
                lease.Offsets.Add(new LeasedOffset(cursor, offset));
                lease.OpenCount++;
            }
        }
    }

    private DeliveryVerdict Locate(
        Subscription? subscription, in DeliveryReference reference, out QueueCursor? cursor)
    {
        cursor = null;
        if (subscription is null
            || reference.QueueId < 0
            || reference.QueueId >= subscription.Cursors.Count
            || reference.Offset < 0)
        {
            return DeliveryVerdict.Stale;
        }

        cursor = subscription.Cursors[reference.QueueId];
        if (reference.Offset >= cursor.Next)
        {
            return DeliveryVerdict.Stale;
        }

        if (reference.Offset < cursor.Commit)
        {
            return DeliveryVerdict.Finished;
        }

        ref readonly var delivery = ref cursor.At(reference.Offset);
        return delivery.State switch
        {
            DeliveryState.Done => DeliveryVerdict.Finished,
            DeliveryState.Leased when delivery.DeliveryId == reference.DeliveryId
                || defect == SeededDefect.StaleReceiptAccepted => DeliveryVerdict.Live,
            _ => DeliveryVerdict.Stale,
        };
    }

    /// <summary>What a receiver with a stale handle is told.</summary>
    public static BrokerFailure Stale(in DeliveryReference reference) => new(
        BrokerError.InvalidHandle,
        $"the receipt handle of offset {reference.Offset} in queue {reference.QueueId} is no longer valid: " +
        "the message became visible again, or the group was moved to another offset");

    private Lease Detach(QueueCursor cursor, long offset)
    {
        var lease = cursor.At(offset).Lease;
        Invariant.Check(lease is not null, $"offset {offset} is leased");
        lease.OpenCount--;
        if (lease.OpenCount == 0)
        {
            _index.Remove(lease);
        }

        return lease;
    }

    private void End(Lease lease)
    {
        var group = lease.Subscription.Group.View;
        foreach (var leased in lease.Offsets)
        {
            if (!leased.IsBoundTo(lease))
            {
                continue;
            }

            var (cursor, offset) = leased;
            if (!lease.Suspend && cursor.At(offset).Attempts >= group.MaxAttempts)
            {
                cursor.Oblige(offset);
                _obligations.Add(new Obligation(group.Id, lease.Subscription.Topic.Id, cursor.QueueId, offset));
            }
            else
            {
                cursor.Release(offset, forgetAttempt: lease.Suspend);
            }
        }

        lease.OpenCount = 0;
        Touched.Add(lease.Subscription);
    }
}
