
using Dledger.Broker.Messages;

namespace Dledger.Broker.Groups;

/// <summary>
/// What becomes of the messages of a lease that ends: visible again, at rest, parked, or owed to the dead letter topic, as the settings
/// of their group say. A pure function of state, lease and log time.
/// </summary>
internal sealed class LeaseEnding(
    LeaseIndex index, SortedSet<Obligation> obligations, Func<long> nextSequence, SeededDefect defect)
{
    /// <summary>Ends what is still bound to a lease that is in no index any more.</summary>
    public void End(Lease lease, long logTime)
    {
        var rests = new List<Lease>();
        foreach (var leased in lease.Offsets)
        {
            if (leased.IsBoundTo(lease))
            {
                End(lease, leased.Cursor, leased.Offset, logTime, rests);
            }
        }

        lease.ChangeOpenCount(-lease.OpenCount);
        foreach (var rest in rests)
        {
            index.Add(rest);
        }
    }

    /// <summary>
    /// Treats one leased message as poison, whatever its attempts; the answer is the lease that ends its back-off, not indexed yet.
    /// </summary>
    public Lease? GiveUp(Lease lease, QueueCursor cursor, long offset, long logTime)
    {
        var settings = lease.Subscription.Group.View.Settings;
        var rests = new List<Lease>();
        var backoff = settings.Backoff.After(Math.Max(cursor.At(offset).Attempts, settings.MaxAttempts));
        Poison(lease, cursor, offset, logTime, backoff, DeadLetterReason.AskedByReceiver, rests);
        return rests.Count == 0 ? null : rests[0];
    }

    private void End(Lease lease, QueueCursor cursor, long offset, long logTime, List<Lease> rests)
    {
        var settings = lease.Subscription.Group.View.Settings;
        var attempts = cursor.At(offset).Attempts;

        // Who gave a message back has asked for a delay already.
        var backoff = lease.IsOrigin ? settings.Backoff.After(attempts) : TimeSpan.Zero;
        if (lease.IsRest || lease.Suspend)
        {
            cursor.Release(offset, forgetAttempt: lease.Suspend);
        }
        else if (attempts >= settings.MaxAttempts)
        {
            Poison(lease, cursor, offset, logTime, backoff, DeadLetterReason.MaxAttempts, rests);
        }
        else
        {
            ReleaseOrRest(lease, cursor, offset, logTime, settings.BackoffOnExpiry ? backoff : TimeSpan.Zero, rests);
        }
    }

    private void Poison(
        Lease lease,
        QueueCursor cursor,
        long offset,
        long logTime,
        TimeSpan backoff,
        DeadLetterReason reason,
        List<Lease> rests)
    {
        var group = lease.Subscription.Group.View;
        switch (group.Settings.Poison)
        {
            case PoisonMode.Park:
                cursor.Park(offset, logTime);
                break;
            case PoisonMode.Block when defect != SeededDefect.BlockedMessageGivenUp:
                ReleaseOrRest(lease, cursor, offset, logTime, backoff, rests);
                break;
            default:
                cursor.Oblige(offset, reason);
                obligations.Add(new Obligation(group.Id, lease.Subscription.Topic.Id, cursor.QueueId, offset));
                break;
        }
    }

    private void ReleaseOrRest(
        Lease lease, QueueCursor cursor, long offset, long logTime, TimeSpan backoff, List<Lease> rests)
    {
        var delay = backoff.Ticks / TimeSpan.TicksPerMicrosecond;
        if (delay <= 0)
        {
            cursor.Release(offset, forgetAttempt: false);
            return;
        }

        var rest = rests.Find(each => each.InvisibleMicroseconds == delay);
        if (rest is null)
        {
            rests.Add(rest = new Lease
            {
                DeliveryId = lease.DeliveryId,
                Sequence = nextSequence(),
                Subscription = lease.Subscription,
                StartedAt = lease.StartedAt,
                InvisibleMicroseconds = delay,
                AutoRenew = false,
                ClientHash = lease.ClientHash,
                AttemptHash = UInt128.Zero,
                Suspend = false,
                IsOrigin = false,
                IsRest = true,
                Deadline = logTime + delay,
            });
        }

        rest.Add(cursor, offset, cursor.At(offset).Attempts);
        cursor.Rest(offset, rest);
    }
}
