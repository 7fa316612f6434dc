using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Receives that depend on what is in the records (decision 0010): the apply loop says which records, and keeps others away from them;
/// the caller reads, and comes back with a verdict. Volatile, the serving leader's, owned by the apply loop.
/// </summary>
internal sealed class ReceiveScans(
    ReceiverIndex index, ReceiveBudget budget, LeaseProposals leases, LeaseChooser chooser, LeaderInbox inbox)
{
    /// <summary>Gives a claimed operation records to look at; it waits on when there are none.</summary>
    public void Begin(
        Receivers receivers,
        LinkedListNode<ReceiveOperation> node,
        int countMax,
        QuotaRoom room,
        GroupState group,
        TopicState topic,
        Subscription? subscription)
    {
        var operation = node.Value;
        var candidates = chooser.ChooseCandidates(operation, room, receivers, group, topic, subscription);
        if (candidates is not null && chooser.LeasedCount > 0)
        {
            receivers.Unpark(node);
            var scan = new ScanGrant(receivers, candidates.Queues, topic, ended => inbox.Add(() => Abandon(ended)))
            {
                ClientHash = operation.ClientHash,
                LeasedMax = Math.Min(operation.BatchSize, countMax),
                IsOrdered = group.View.Fifo,
                Dedup = group.View.Settings.Dedup,
                Reserved = LeaseProposals.Reserve(receivers, candidates.Queues, subscription),
                Limits = budget.Limits,
            };
            budget.Limits.Reserve(operation, scan.LeasedMax);
            scan.Charge = budget.Quotas.Charge(group, operation.ClientHash, scan.LeasedMax, chooser.LeasedBytes);
            HoldFresh(scan);
            operation.Complete(ReceiveGrant.Empty with { Scan = scan });
            return;
        }

        if (chooser.RefusedBytes > 0)
        {
            budget.Hold(operation, receivers, group, chooser.RefusedBytes);
        }

        if (candidates is not null)
        {
            // Nothing to look at, but much that was passed over: it becomes known and is not looked at again.
            leases.Propose(candidates, receivers, operation: null, subscription);
        }

        if (!operation.TryReopen())
        {
            receivers.Unpark(node);
        }
    }

    /// <summary>The caller has looked: what it found is leased and skipped.</summary>
    /// <param name="operation">Carries the verdict.</param>
    /// <param name="verdict">What was found.</param>
    /// <param name="receivers">Those of the operation's group and topic now.</param>
    /// <param name="group">Its group.</param>
    /// <param name="subscription">Null while the group has none on the topic.</param>
    /// <param name="mayLease">Whether the group gives messages to this client.</param>
    public void End(
        ReceiveOperation operation,
        ScanVerdict verdict,
        Receivers receivers,
        GroupState group,
        Subscription? subscription,
        bool mayLease)
    {
        var isCurrent = ReferenceEquals(verdict.Scan.Receivers, receivers);
        Abandon(verdict.Scan);
        if (!isCurrent || group.View.Settings.Dedup != verdict.Scan.Dedup || !operation.TryClaim())
        {
            operation.Complete(ReceiveGrant.Empty);
            return;
        }

        receivers.Left.Add(operation, verdict, subscription);
        if (verdict.Queues.Count == 0 || !mayLease)
        {
            operation.Complete(ReceiveGrant.Empty);
            return;
        }

        var (queues, leasedCount) = verdict.HasKeys
            ? KeyedLeases.Sort(verdict.Queues, group.Processed, receivers.Held)
            : (verdict.Queues, verdict.LeasedCount);
        if (queues.Count == 0)
        {
            operation.Complete(ReceiveGrant.Empty);
            return;
        }

        var command = new LeaseCommand(
            operation.GroupId,
            operation.TopicId,
            operation.InvisibleMicroseconds,
            operation.AutoRenew,
            operation.ClientHash,
            leasedCount > 0 ? operation.AttemptHash : UInt128.Zero,
            LeaseChooser.HolderBefore(group, subscription),
            queues);
        var charge = leasedCount == 0 || !budget.Quotas.Counts(group)
            ? default
            : budget.Quotas.Charge(group, operation.ClientHash, leasedCount, verdict.Scan.BytesOf(queues));
        leases.Propose(command, receivers, operation, subscription, charge);
    }

    private void Abandon(ScanGrant scan)
    {
        if (!scan.TryEnd())
        {
            return;
        }

        scan.Limits.Release(scan);
        scan.Charge.GiveBack();
        if (scan.Limits.HoldsBack)
        {
            index.MarkHeldBack(scan.Receivers.GroupId);
        }

        if (!index.IsCurrent(scan.Receivers))
        {
            return;
        }

        foreach (var queue in scan.Queues.Where(_ => scan.IsOrdered))
        {
            scan.Receivers.ReservationOf(queue.QueueId).FreeFresh();
        }

        LeaseProposals.Release(scan.Receivers, scan.Queues, scan.Reserved, failed: true);
        index.Mark(scan.Receivers);
    }

    private static void HoldFresh(ScanGrant scan)
    {
        if (scan.IsOrdered)
        {
            foreach (var queue in scan.Queues)
            {
                scan.Receivers.ReservationOf(queue.QueueId).HoldFresh();
            }
        }
    }
}
