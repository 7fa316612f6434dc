using System.Runtime.CompilerServices;
using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Broker.Topics;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Receives on their way and parked long polls. Volatile, the serving leader's only, owned by the apply loop.
/// </summary>
/// <remarks>
/// A receive is parked per group and topic. What may give it work marks the pair dirty; when the frame is through,
/// parked
/// receives are served in order for as long as something is left to hand out, so nobody wakes up for nothing.
/// </remarks>
internal sealed class ReceiverTable(
    TopicTable topics,
    GroupTable groups,
    BrokerOptions options,
    QuotaClock quotaClock,
    LeaderInbox inbox,
    Func<Proposal, ProposalFailure?> propose,
    Func<long, bool> isGone)
{
    private readonly SortedDictionary<(int TopicId, int GroupId), Receivers> _byPair = [];
    private readonly Dictionary<int, List<Receivers>> _byTopic = [];
    private readonly List<Receivers> _dirty = [];
    private readonly LeaseChooser _chooser = new(options);
    private InFlightLimits _limits = new(options.Defect);
    private readonly StrongBox<int> _parkedCount = new();

    /// <summary>What groups and clients may be given.</summary>
    public ReceiveQuotas Quotas { get; private set; } = new(options.ClientQuota, quotaClock);

    /// <summary>Parked operations, finished ones that were not swept yet included.</summary>
    public int ParkedCount => _parkedCount.Value;

    /// <summary>Takes up an operation: a lease is proposed for it, or it is parked, or it ends.</summary>
    public void Receive(ReceiveOperation operation)
    {
        if (operation.IsFinished)
        {
            return;
        }

        if (FindPair(operation) is not var (group, topic) || operation.IsFinished)
        {
            return;
        }

        var receivers = ReceiversOf(topic.Id, group.View.Id);
        if (operation.Verdict is { } verdict)
        {
            EndScan(operation, verdict, receivers, group, topic.Subscriptions.GetValueOrDefault(group.View.Id));
            return;
        }

        if (FindRepeated(operation, topic, group) is { } lease)
        {
            if (operation.TryClaim())
            {
                operation.Complete(GrantOf(lease, operation));
            }

            return;
        }

        if (ParkedCount >= options.ParkedReceivesMax)
        {
            operation.Complete(ReceiveGrant.Of(new BrokerFailure(
                BrokerError.Busy, $"{ParkedCount} receives wait already; the limit is {options.ParkedReceivesMax}")));
            return;
        }

        receivers.Park(operation, inFront: false);
        Serve(receivers);
        receivers.Sweep();
    }

    /// <summary>A queue of the topic gained a message.</summary>
    public void MessageAppended(int topicId)
    {
        if (_byTopic.TryGetValue(topicId, out var list))
        {
            foreach (var receivers in list)
            {
                MarkDirty(receivers);
            }
        }
    }

    /// <summary>Something became available to a group again.</summary>
    public void Touched(Subscription subscription)
    {
        if (_byPair.TryGetValue((subscription.Topic.Id, subscription.Group.View.Id), out var receivers))
        {
            MarkDirty(receivers);
        }

        if (subscription.Group.View.Settings.Dedup.IsOn)
        {
            MarkKeysFreed(subscription.Group.View.Id);
        }

        if (_limits.HoldsBack)
        {
            // What was finished here may make room for the group's receives of other topics.
            MarkHeldBack(subscription.Group.View.Id);
        }
    }

    /// <summary>A client's set of lite topics changed.</summary>
    public void Wake(int topicId, int groupId)
    {
        if (_byPair.TryGetValue((topicId, groupId), out var receivers))
        {
            MarkDirty(receivers);
        }
    }

    /// <summary>A group's settings changed, or its pause ended.</summary>
    public void GroupChanged(int groupId)
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.GroupId == groupId)
            {
                MarkDirty(receivers);
            }
        }
    }

    /// <summary>Looks at the receives that a quota holds when they may go on; false when they may not yet.</summary>
    public bool QuotasDue()
    {
        if (!Quotas.TakeDue())
        {
            return false;
        }

        foreach (var receivers in _byPair.Values)
        {
            if (receivers.IsOverQuota)
            {
                receivers.IsOverQuota = false;
                MarkDirty(receivers);
            }
        }

        return true;
    }

    /// <summary>Serves parked receives that may have work now.</summary>
    public void FrameApplied()
    {
        for (var i = 0; i < _dirty.Count; i++)
        {
            _dirty[i].IsDirty = false;
            Serve(_dirty[i]);
        }

        _dirty.Clear();
    }

    /// <summary>A Lease record of this leader was applied with this result.</summary>
    public void LeaseApplied(LeaseProposal proposal, Lease? lease, BrokerFailure? failure)
    {
        Release(proposal, failed: false);
        MarkDirty(proposal.Receivers);
        if (proposal.Operation is not { } operation)
        {
            return;
        }

        if (failure is { } reason)
        {
            operation.Complete(ReceiveGrant.Of(reason));
        }
        else if (lease is not null)
        {
            operation.Complete(GrantOf(lease, operation));
        }
        else if (operation.Verdict is not null)
        {
            // Nothing was left to hand out, or all of it was to be skipped; the caller looks at what comes next.
            operation.Complete(ReceiveGrant.Empty);
        }
        else if (operation.TryReopen())
        {
            proposal.Receivers.Park(operation, inFront: true);
        }
    }

    /// <summary>A topic or group is gone: its receives end.</summary>
    public void Remove(Func<Receivers, bool> isGone, BrokerFailure failure)
    {
        foreach (var receivers in _byPair.Values.Where(isGone).ToList())
        {
            receivers.EndAll(failure);
            _byPair.Remove((receivers.TopicId, receivers.GroupId));
            _byTopic[receivers.TopicId].Remove(receivers);
        }
    }

    /// <summary>This node no longer serves: all receives end and all promises are void.</summary>
    public void Clear(BrokerFailure failure)
    {
        foreach (var receivers in _byPair.Values)
        {
            receivers.EndAll(failure);
        }

        _byPair.Clear();
        _byTopic.Clear();
        _dirty.Clear();
        _limits = new InFlightLimits(options.Defect);
        Quotas = new ReceiveQuotas(options.ClientQuota, quotaClock);
    }

    private static Lease? FindRepeated(ReceiveOperation operation, TopicState topic, GroupState group) =>
        operation.AttemptHash != UInt128.Zero
        && topic.Subscriptions.TryGetValue(group.View.Id, out var subscription)
        && subscription.LeaseByAttempt.TryGetValue(operation.AttemptHash, out var lease)
            ? lease
            : null;

    private static ReceiveGrant GrantOf(Lease lease, ReceiveOperation operation)
    {
        var messages = new List<GrantedMessage>(lease.OpenCount);
        foreach (var leased in lease.Offsets)
        {
            if (lease.IsFinal || leased.IsBoundTo(lease))
            {
                var (cursor, offset, attempt) = leased;
                var entry = lease.Subscription.Topic.Queues[cursor.QueueId].Read(offset);
                messages.Add(new GrantedMessage(
                    cursor.QueueId,
                    offset,
                    entry.Position,
                    entry.Size,
                    IndexHash.TagOf(entry.TagHash),
                    lease.IsFinal ? attempt : cursor.At(offset).Attempts,
                    IndexHash.GroupOf(entry.TagHash)));
            }
        }

        if (lease.Subscription.Topic.View.IsPriority)
        {
            // The record lists queues ascending; the receiver hears of the most urgent first.
            messages.Sort(static (left, right) => left.QueueId == right.QueueId
                ? left.Offset.CompareTo(right.Offset)
                : right.QueueId.CompareTo(left.QueueId));
        }

        return new ReceiveGrant(null, lease.DeliveryId, operation.InvisibleMicroseconds, messages);
    }

    private (GroupState Group, TopicState Topic)? FindPair(ReceiveOperation operation)
    {
        if (topics.Find(operation.TopicId) is not { } topic)
        {
            operation.Complete(ReceiveGrant.Of(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted")));
            return null;
        }

        if (groups.Find(operation.GroupId) is not { } group)
        {
            operation.Complete(ReceiveGrant.Of(
                new BrokerFailure(BrokerError.GroupNotFound, "the consumer group was deleted")));
            return null;
        }

        return (group, topic);
    }

    private Receivers ReceiversOf(int topicId, int groupId)
    {
        if (_byPair.TryGetValue((topicId, groupId), out var receivers))
        {
            return receivers;
        }

        receivers = new Receivers(groupId, topicId, _parkedCount);
        _byPair.Add((topicId, groupId), receivers);
        if (!_byTopic.TryGetValue(topicId, out var list))
        {
            list = [];
            _byTopic.Add(topicId, list);
        }

        list.Add(receivers);
        return receivers;
    }

    private void MarkDirty(Receivers receivers)
    {
        if (!receivers.IsDirty)
        {
            receivers.IsDirty = true;
            _dirty.Add(receivers);
        }
    }

    private void Serve(Receivers receivers)
    {
        if (receivers.FirstParked is null
            || topics.Find(receivers.TopicId) is not { } topic
            || groups.Find(receivers.GroupId) is not { } group)
        {
            return;
        }

        if (group.Pause is not null)
        {
            receivers.EndUnwilling();
            return;
        }

        var subscription = topic.Subscriptions.GetValueOrDefault(receivers.GroupId);
        if (subscription is null && group.View.Start == GroupStart.Latest)
        {
            Subscribe(receivers);
            receivers.EndUnwilling();
            return;
        }

        var node = receivers.FirstParked;
        while (node is not null)
        {
            var next = node.Next;
            if (node.Value.IsFinished)
            {
                receivers.Unpark(node);
            }
            else if (!_chooser.HasCandidates(receivers, topic, subscription, node.Value)
                || !ServeOne(receivers, node, group, topic, subscription))
            {
                // Nothing for this one is nothing for all, but where each has lite topics of its own.
                if (topic.Lites is null)
                {
                    receivers.EndUnwilling();
                    return;
                }
            }

            node = next;
        }

        if (topic.Lites is not null)
        {
            receivers.EndUnwilling();
        }
    }

    // False when there is nothing for those behind it either.
    private bool ServeOne(
        Receivers receivers,
        LinkedListNode<ReceiveOperation> node,
        GroupState group,
        TopicState topic,
        Subscription? subscription)
    {
        var operation = node.Value;
        if (!operation.TryClaim())
        {
            receivers.Unpark(node);
            return true;
        }

        LeaseCommand? command = null;
        var countMax = 0;
        var isHeld = false;
        if (MayHold(operation, group, subscription)
            && (countMax = _limits.Allow(operation, receivers, group)) > 0
            && (countMax = WithinQuotas(operation, countMax, receivers, group, out var room)) > 0)
        {
            // The keys by which a group knows what it processed are in the records.
            if (operation.MustScan || group.View.Settings.Dedup.IsOn)
            {
                BeginScan(receivers, node, countMax, room, group, topic, subscription);
                return true;
            }

            command = _chooser.Choose(operation, countMax, room, receivers, group, topic, subscription);
            if (command is not null && _chooser.LeasedCount > 0)
            {
                receivers.Unpark(node);
                var charge = Quotas.Charge(group, operation.ClientHash, _chooser.LeasedCount, _chooser.LeasedBytes);
                var proposal = new LeaseProposal(command, receivers, operation, inbox, LeaseFailed) { Charge = charge };
                Propose(proposal, subscription);
                return true;
            }

            isHeld = HoldForBytes(operation, receivers, group);
        }

        if (command is not null)
        {
            Propose(new LeaseProposal(command, receivers, null, inbox, LeaseFailed), subscription);
        }

        if (!operation.TryReopen())
        {
            receivers.Unpark(node);
        }

        return command is not null || countMax == 0 || isHeld || !operation.Filter.MatchesAll;
    }

    private bool MayHold(ReceiveOperation operation, GroupState group, Subscription? subscription) =>
        !group.View.Settings.Exclusive
        || subscription is null
        || subscription.Holder == 0
        || subscription.Holder == operation.ClientHash
        || isGone(subscription.Holder);

    // How many of so many messages the quotas leave; at 0 it is held.
    private int WithinQuotas(
        ReceiveOperation operation, int countMax, Receivers receivers, GroupState group, out QuotaRoom room)
    {
        room = Quotas.Room(group, operation.ClientHash);
        if (room.IsOpen)
        {
            return (int)Math.Min(countMax, room.Messages);
        }

        receivers.IsOverQuota = true;
        operation.HoldBack(Quotas.Hold(group, operation.ClientHash, bytes: 1));
        return 0;
    }

    // The first message that it may have is larger than what is left.
    private bool HoldForBytes(ReceiveOperation operation, Receivers receivers, GroupState group)
    {
        if (_chooser.RefusedBytes == 0)
        {
            return false;
        }

        receivers.IsOverQuota = true;
        operation.HoldBack(Quotas.Hold(group, operation.ClientHash, _chooser.RefusedBytes));
        return true;
    }

    // A key is free, perhaps, for which a message of another topic waits.
    private void MarkKeysFreed(int groupId)
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.GroupId == groupId && !receivers.Held.IsEmpty)
            {
                MarkDirty(receivers);
            }
        }
    }

    private void MarkHeldBack(int groupId)
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.IsHeldBack && receivers.GroupId == groupId)
            {
                receivers.IsHeldBack = false;
                MarkDirty(receivers);
            }
        }
    }

    // The records are read by the caller: the apply loop only says which, and keeps others away from them meanwhile.
    private void BeginScan(
        Receivers receivers,
        LinkedListNode<ReceiveOperation> node,
        int countMax,
        QuotaRoom room,
        GroupState group,
        TopicState topic,
        Subscription? subscription)
    {
        var operation = node.Value;
        var candidates = _chooser.ChooseCandidates(operation, room, receivers, group, topic, subscription);
        if (candidates is not null && _chooser.LeasedCount > 0)
        {
            receivers.Unpark(node);
            var scan = new ScanGrant(receivers, candidates.Queues, topic, ended => inbox.Add(() => AbandonScan(ended)))
            {
                ClientHash = operation.ClientHash,
                LeasedMax = Math.Min(operation.BatchSize, countMax),
                IsOrdered = group.View.Fifo,
                Dedup = group.View.Settings.Dedup,
                Reserved = Reserve(receivers, candidates.Queues, subscription),
                Limits = _limits,
            };
            _limits.Reserve(operation, scan.LeasedMax);
            scan.Charge = Quotas.Charge(group, operation.ClientHash, scan.LeasedMax, _chooser.LeasedBytes);
            HoldFresh(scan);
            operation.Complete(ReceiveGrant.Empty with { Scan = scan });
            return;
        }

        HoldForBytes(operation, receivers, group);
        if (candidates is not null)
        {
            // Nothing to look at, but much that was passed over: it becomes known and is not looked at again.
            Propose(new LeaseProposal(candidates, receivers, null, inbox, LeaseFailed), subscription);
        }

        if (!operation.TryReopen())
        {
            receivers.Unpark(node);
        }
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

    private void EndScan(
        ReceiveOperation operation, ScanVerdict verdict, Receivers receivers, GroupState group, Subscription? subscription)
    {
        var isCurrent = ReferenceEquals(verdict.Scan.Receivers, receivers);
        AbandonScan(verdict.Scan);
        if (!isCurrent || group.View.Settings.Dedup != verdict.Scan.Dedup || !operation.TryClaim())
        {
            operation.Complete(ReceiveGrant.Empty);
            return;
        }

        receivers.Left.Add(operation, verdict, subscription);
        if (verdict.Queues.Count == 0 || group.Pause is not null || !MayHold(operation, group, subscription))
        {
            operation.Complete(ReceiveGrant.Empty);
            return;
        }

        var (queues, leasedCount) = verdict.HasKeys
            ? KeyedLeases.Sort(verdict.Queues, group.Processed, receivers.Held, options.Defect)
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
        var charge = leasedCount == 0 || !Quotas.Counts(group)
            ? default
            : Quotas.Charge(group, operation.ClientHash, leasedCount, verdict.Scan.BytesOf(queues));
        Propose(new LeaseProposal(command, receivers, operation, inbox, LeaseFailed) { Charge = charge }, subscription);
    }

    private void AbandonScan(ScanGrant scan)
    {
        if (!scan.TryEnd())
        {
            return;
        }

        scan.Limits.Release(scan);
        scan.Charge.GiveBack();
        if (scan.Limits.HoldsBack)
        {
            MarkHeldBack(scan.Receivers.GroupId);
        }

        if (!IsCurrent(scan.Receivers))
        {
            return;
        }

        foreach (var queue in scan.Queues.Where(_ => scan.IsOrdered))
        {
            scan.Receivers.ReservationOf(queue.QueueId).FreeFresh();
        }

        Release(scan.Receivers, scan.Queues, scan.Reserved, failed: true);
        MarkDirty(scan.Receivers);
    }

    private static IReadOnlyCollection<int>[] Reserve(
        Receivers receivers, IReadOnlyList<LeaseQueue> queues, Subscription? subscription) =>
        [.. queues.Select(queue =>
            receivers.ReservationOf(queue.QueueId).Reserve(queue, subscription?.Cursors[queue.QueueId]))];

    private void Propose(LeaseProposal proposal, Subscription? subscription)
    {
        proposal.Reserved = Reserve(proposal.Receivers, proposal.Command.Queues, subscription);
        proposal.Limits = _limits;
        _limits.Reserve(proposal);
        if (propose(proposal) is { } failure)
        {
            proposal.Operation?.Complete(ReceiveGrant.Of(FailureMapping.Of(failure)));
            Release(proposal, failed: true);
        }
    }

    private void LeaseFailed(LeaseProposal proposal)
    {
        Release(proposal, failed: true);
        MarkDirty(proposal.Receivers);
    }

    private void Release(LeaseProposal proposal, bool failed)
    {
        proposal.Limits?.Release(proposal);
        if (failed)
        {
            proposal.Charge.GiveBack();
        }

        if (IsCurrent(proposal.Receivers))
        {
            Release(proposal.Receivers, proposal.Command.Queues, proposal.Reserved, failed);
        }
    }

    private bool IsCurrent(Receivers receivers) =>
        _byPair.TryGetValue((receivers.TopicId, receivers.GroupId), out var current) && ReferenceEquals(current, receivers);

    private static void Release(
        Receivers receivers,
        IReadOnlyList<LeaseQueue> queues,
        IReadOnlyList<IReadOnlyCollection<int>> reserved,
        bool failed)
    {
        for (var i = 0; i < queues.Count; i++)
        {
            receivers.ReservationOf(queues[i].QueueId).Release(queues[i], reserved[i], failed);
        }
    }

    private void Subscribe(Receivers receivers)
    {
        if (receivers.IsSubscribing)
        {
            return;
        }

        receivers.IsSubscribing = true;
        var record = ControlRecord.Encode(
            RecordKind.ResetOffset, new SubscribeCommand(receivers.GroupId, receivers.TopicId).Encode());
        var proposal = new LeaderProposal(record, inbox, (_, _) => Subscribed());
        if (propose(proposal) is not null)
        {
            Subscribed();
        }

        void Subscribed()
        {
            receivers.IsSubscribing = false;
            MarkDirty(receivers);
        }
    }
}
