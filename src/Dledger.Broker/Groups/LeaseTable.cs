using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>
/// All leases and what happens to them: the pop consumption of raft-and-storage.md 5.2. Replicated state, owned by the
/// apply loop; every method is a pure function of the state and its arguments.
/// </summary>
internal sealed class LeaseTable
{
    private readonly LeaseIndex _index = new();
    private readonly SortedSet<Obligation> _obligations = [];
    private readonly SeededDefect _defect;
    private readonly LeaseTaking _taking;
    private readonly LeaseEnding _ending;

    public LeaseTable(SeededDefect defect = SeededDefect.None)
    {
        _defect = defect;
        _taking = new LeaseTaking(defect);
        _ending = new LeaseEnding(_index, _obligations, () => NextSequence++, defect);
    }

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
        var group = subscription.Group;
        if ((group.Pause is not null && _defect != SeededDefect.LeaseBreaksPause) || !MayHold(subscription, command))
        {
            return null;
        }

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
                IsFinal = group.View.Settings.AckMode == AckMode.AtMostOnce && _defect != SeededDefect.HandedOutNotFinished,
                Deadline = logTime + command.InvisibleMicroseconds,
            };
        group.Processed.Expire(group.View.Settings.Dedup, logTime);
        foreach (var queue in command.Queues)
        {
            if (queue.QueueId >= 0 && queue.QueueId < subscription.Cursors.Count)
            {
                _taking.Take(subscription.Cursors[queue.QueueId], queue, lease, countsAttempts, logTime);
            }
        }

        Touched.Add(subscription);
        if (lease is null || lease.OpenCount == 0)
        {
            return lease is { IsFinal: true, Offsets.Count: > 0 } ? lease : repeated;
        }

        _index.Add(lease);
        return lease;
    }

    /// <summary>What a receipt still stands for.</summary>
    public DeliveryVerdict Locate(Subscription? subscription, in DeliveryReference reference) =>
        Locate(subscription, reference, out _);

    /// <summary>
    /// Finishes one delivery. Null on success, also when the message is finished already. What a receiver acknowledged counts as processed;
    /// what was finished without one does not.
    /// </summary>
    public BrokerFailure? Finish(
        Subscription? subscription, in DeliveryReference reference, long logTime, bool isProcessed = true)
    {
        var verdict = Locate(subscription, reference, out var cursor);
        if (verdict != DeliveryVerdict.Live)
        {
            return verdict == DeliveryVerdict.Finished ? null : Stale(reference);
        }

        Detach(cursor!, reference.Offset);
        var group = cursor!.Subscription.Group;
        var key = group.Processed.Free(cursor.PlaceOf(reference.Offset));
        cursor.Finish(reference.Offset);
        if (isProcessed)
        {
            group.Processed.Add(key, logTime);
            group.Processed.Expire(group.View.Settings.Dedup, logTime);
        }

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

        var attempts = cursor!.At(reference.Offset).Attempts;
        var before = Detach(cursor, reference.Offset);
        var invisible = InvisibleOf(command, before, attempts);
        var lease = new Lease
        {
            DeliveryId = before.DeliveryId,
            Sequence = NextSequence++,
            Subscription = before.Subscription,
            StartedAt = before.StartedAt,
            InvisibleMicroseconds = invisible,
            AutoRenew = false,
            ClientHash = before.ClientHash,
            AttemptHash = UInt128.Zero,
            Suspend = command.Suspend,
            IsOrigin = false,
            IsReturned = before.AutoRenew || before.IsReturned,
            Deadline = logTime + invisible,
        };
        lease.Add(cursor, reference.Offset, attempts);
        cursor.Rebind(reference.Offset, lease);
        Touched.Add(lease.Subscription);
        if (invisible <= 0)
        {
            _ending.End(lease, logTime);
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
            if (verdict == DeliveryVerdict.Finished && _defect == SeededDefect.DeadLetterTwice)
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
            || reference.QueueId >= subscription.Cursors.Count
            || !_obligations.Remove(ObligationOf(subscription.Cursors[reference.QueueId], reference.Offset)))
        {
            return ForwardVerdict.Repeated;
        }

        subscription.Cursors[reference.QueueId].Finish(reference.Offset);
        Touched.Add(subscription);
        return ForwardVerdict.Copied;
    }

    /// <summary>
    /// A receiver gives a delivery up: what its group does with messages that were delivered too often is done at once. Null on success.
    /// </summary>
    public BrokerFailure? GiveUp(Subscription? subscription, in DeliveryReference reference, long logTime)
    {
        var verdict = Locate(subscription, reference, out var cursor);
        if (verdict != DeliveryVerdict.Live)
        {
            return verdict == DeliveryVerdict.Finished ? null : Stale(reference);
        }

        var lease = Detach(cursor!, reference.Offset);
        if (_ending.GiveUp(lease, cursor!, reference.Offset, logTime) is { } rest)
        {
            _index.Add(rest);
        }

        Touched.Add(cursor!.Subscription);
        return null;
    }

    /// <summary>An operator gives a parked message back to its receivers.</summary>
    public void Unpark(QueueCursor cursor, long offset)
    {
        cursor.Unpark(offset);
        Touched.Add(cursor.Subscription);
    }

    /// <summary>An operator moves a parked message to the dead letter topic.</summary>
    public void Drop(QueueCursor cursor, long offset)
    {
        cursor.Oblige(offset, DeadLetterReason.DroppedByOperator);
        _obligations.Add(ObligationOf(cursor, offset));
        Touched.Add(cursor.Subscription);
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
            if (_defect == SeededDefect.ExpiredKeysProcessed)
            {
                foreach (var leased in lease.Offsets.Where(leased => leased.IsBoundTo(lease)))
                {
                    var keys = lease.Subscription.Group.Processed;
                    keys.Add(keys.Free(leased.Cursor.PlaceOf(leased.Offset)), logTime);
                }
            }

            _ending.End(lease, logTime);
            Touched.Add(lease.Subscription);
        }
    }

    /// <summary>Ends everything about the messages below an offset: they are gone.</summary>
    public void DropBelow(QueueCursor cursor, long min)
    {
        if (cursor.Commit >= min && cursor.AsideCount == 0)
        {
            return;
        }

        var subscription = cursor.Subscription;
        foreach (var offset in cursor.UnfinishedBelow(min))
        {
            switch (cursor.At(offset).State)
            {
                case DeliveryState.Leased:
                case DeliveryState.Resting:
                    Detach(cursor, offset);
                    break;
                case DeliveryState.Obliged:
                    _obligations.Remove(ObligationOf(cursor, offset));
                    break;
            }

            cursor.Finish(offset);
        }

        cursor.AdvanceTo(min);
        Touched.Add(subscription);
    }

    /// <summary>
    /// Takes a group to another offset of a queue. All that had begun there ends: leases, owed dead letters, what was finished ahead.
    /// </summary>
    public void Reset(QueueCursor cursor, long offset)
    {
        foreach (var open in cursor.UnfinishedBelow(long.MaxValue))
        {
            switch (cursor.At(open).State)
            {
                case DeliveryState.Leased or DeliveryState.Resting when _defect != SeededDefect.SeekLeavesLeases:
                    Detach(cursor, open);
                    break;
                case DeliveryState.Obliged:
                    _obligations.Remove(ObligationOf(cursor, open));
                    break;
                default:
                    break;
            }
        }

        cursor.Reset(offset);
        Touched.Add(cursor.Subscription);
    }

    /// <summary>Forgets all leases and obligations of subscriptions that end.</summary>
    public void Forget(Func<Subscription, bool> ends)
    {
        foreach (var lease in _index.All.Where(lease => ends(lease.Subscription)).ToList())
        {
            _index.Remove(lease);
            lease.ChangeOpenCount(-lease.OpenCount);
        }
    }

    /// <summary>Forgets the obligations of a removed group or topic.</summary>
    public void ForgetObligations(Predicate<Obligation> ends) => _obligations.RemoveWhere(ends);

    /// <summary>Puts a lease read from a checkpoint in place and binds its deliveries.</summary>
    public void Restore(Lease lease)
    {
        foreach (var (cursor, offset, _) in lease.Offsets)
        {
            Invariant.Check(
                cursor.Contains(offset) && cursor.At(offset).DeliveryId == lease.DeliveryId,
                $"offset {offset} of a stored lease is leased by it");
            cursor.Rebind(offset, lease);
        }

        _index.Add(lease);
    }

    /// <summary>Ends a restore.</summary>
    public void RestoreNextSequence(long next) => NextSequence = next;

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

        if (!cursor.Contains(reference.Offset))
        {
            return DeliveryVerdict.Finished;
        }

        ref readonly var delivery = ref cursor.At(reference.Offset);
        return delivery.State switch
        {
            DeliveryState.Done => DeliveryVerdict.Finished,
            DeliveryState.Leased when delivery.DeliveryId == reference.DeliveryId
                || _defect == SeededDefect.StaleReceiptAccepted => DeliveryVerdict.Live,
            _ => DeliveryVerdict.Stale,
        };
    }

    /// <summary>What a receiver with a stale handle is told.</summary>
    public static BrokerFailure Stale(in DeliveryReference reference) => new(
        BrokerError.InvalidHandle,
        $"the receipt handle of offset {reference.Offset} in queue {reference.QueueId} is no longer valid: " +
        "the message became visible again, or the group was moved to another offset");

    // In an exclusive group only the holder is given messages. Another client takes its place when nobody holds it, or when the leader
    // takes the holder for gone: the record says which one that was.
    private static bool MayHold(Subscription subscription, LeaseCommand command)
    {
        if (!subscription.Group.View.Settings.Exclusive)
        {
            return true;
        }

        if (subscription.Holder != 0
            && subscription.Holder != command.ClientHash
            && subscription.Holder != command.PreviousHolder)
        {
            return false;
        }

        subscription.Holder = command.ClientHash;
        return true;
    }

    // Push consumers of one SDK ask for a thousandth of the delay that they mean. They never choose it themselves.
    private static long InvisibleOf(ChangeInvisibleCommand command, Lease before, int attempts)
    {
        if (!command.RaisesToBackoff || !(before.AutoRenew || before.IsReturned) || command.Suspend)
        {
            return command.InvisibleMicroseconds;
        }

        var policy = before.Subscription.Group.View.Backoff.After(attempts).Ticks / TimeSpan.TicksPerMicrosecond;
        return command.InvisibleMicroseconds < policy / ChangeInvisibleCommand.TooShortBy ? policy : command.InvisibleMicroseconds;
    }

    private static Obligation ObligationOf(QueueCursor cursor, long offset) => new(
        cursor.Subscription.Group.View.Id, cursor.Subscription.Topic.Id, cursor.QueueId, offset);

    private Lease Detach(QueueCursor cursor, long offset)
    {
        var lease = cursor.At(offset).Lease;
        Invariant.Check(lease is not null, $"offset {offset} is leased");
        lease.ChangeOpenCount(-1);
        if (lease.OpenCount == 0)
        {
            _index.Remove(lease);
        }

        return lease;
    }
}
