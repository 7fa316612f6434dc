using Dledger.Broker.Commands;
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
/// A receive is parked per group and topic. What may give it work marks the pair; when the frame is through, parked receives are served
/// in order for as long as something is left to hand out, so nobody wakes up for nothing.
/// </remarks>
internal sealed class ReceiverTable
{
    private readonly TopicTable _topics;
    private readonly GroupTable _groups;
    private readonly BrokerOptions _options;
    private readonly LeaderInbox _inbox;
    private readonly Func<Proposal, ProposalFailure?> _propose;
    private readonly Func<long, bool> _isGone;
    private readonly ReceiverIndex _index = new();
    private readonly LeaseChooser _chooser;
    private readonly ReceiveBudget _budget;
    private readonly LeaseProposals _leases;
    private readonly ReceiveScans _scans;

    /// <param name="topics">Of the state.</param>
    /// <param name="groups">Of the state.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="quotaClock">What quotas are filled by.</param>
    /// <param name="inbox">Brings what ends elsewhere back to the apply loop.</param>
    /// <param name="propose">Gives a record to the log; the answer says why not.</param>
    /// <param name="isGone">Whether a client, by its hash, is known to have left.</param>
    public ReceiverTable(
        TopicTable topics,
        GroupTable groups,
        BrokerOptions options,
        QuotaClock quotaClock,
        LeaderInbox inbox,
        Func<Proposal, ProposalFailure?> propose,
        Func<long, bool> isGone)
    {
        _topics = topics;
        _groups = groups;
        _options = options;
        _inbox = inbox;
        _propose = propose;
        _isGone = isGone;
        _chooser = new LeaseChooser(options);
        _budget = new ReceiveBudget(options.ClientQuota, quotaClock, options.Defect);
        _leases = new LeaseProposals(_index, _budget, inbox, propose);
        _scans = new ReceiveScans(_index, _budget, _leases, _chooser, inbox, options.Defect);
    }

    /// <summary>What groups and clients may be given.</summary>
    public ReceiveQuotas Quotas => _budget.Quotas;

    /// <summary>Parked operations, finished ones that were not swept yet included.</summary>
    public int ParkedCount => _index.ParkedCount;

    /// <summary>Takes up an operation: a lease is proposed for it, or it is parked, or it ends.</summary>
    public void Receive(ReceiveOperation operation)
    {
        if (operation.IsFinished || FindPair(operation) is not var (group, topic))
        {
            return;
        }

        var receivers = _index.Of(topic.Id, group.View.Id);
        if (operation.Verdict is { } verdict)
        {
            var subscription = topic.Subscriptions.GetValueOrDefault(group.View.Id);
            var mayLease = group.Pause is null && MayHold(operation, group, subscription);
            _scans.End(operation, verdict, receivers, group, subscription, mayLease);
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

        if (ParkedCount >= _options.ParkedReceivesMax)
        {
            operation.Complete(ReceiveGrant.Of(new BrokerFailure(
                BrokerError.Busy, $"{ParkedCount} receives wait already; the limit is {_options.ParkedReceivesMax}")));
            return;
        }

        receivers.Park(operation, inFront: false);
        Serve(receivers);
        receivers.Sweep();
    }

    /// <summary>A queue of the topic gained a message.</summary>
    public void MessageAppended(int topicId) => _index.MarkTopic(topicId);

    /// <summary>Something became available to a group again.</summary>
    public void Touched(Subscription subscription)
    {
        var group = subscription.Group.View;
        _index.Mark(subscription.Topic.Id, group.Id);
        if (group.Settings.Dedup.IsOn)
        {
            _index.MarkKeysFreed(group.Id);
        }

        if (_budget.Limits.HoldsBack)
        {
            // What was finished here may make room for the group's receives of other topics.
            _index.MarkHeldBack(group.Id);
        }
    }

    /// <summary>A client's set of lite topics changed.</summary>
    public void Wake(int topicId, int groupId) => _index.Mark(topicId, groupId);

    /// <summary>A group's settings changed, or its pause ended.</summary>
    public void GroupChanged(int groupId) => _index.MarkGroup(groupId);

    /// <summary>Looks at the receives that a quota holds when they may go on; false when they may not yet.</summary>
    public bool QuotasDue()
    {
        if (!Quotas.TakeDue())
        {
            return false;
        }

        _index.MarkOverQuota();
        return true;
    }

    /// <summary>Serves parked receives that may have work now.</summary>
    public void FrameApplied() => _index.TakeMarked(Serve);

    /// <summary>A Lease record of this leader was applied with this result.</summary>
    public void LeaseApplied(LeaseProposal proposal, Lease? lease, BrokerFailure? failure)
    {
        _leases.Applied(proposal);
        _index.Mark(proposal.Receivers);
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
    public void Remove(Func<Receivers, bool> isGone, BrokerFailure failure) => _index.Remove(isGone, failure);

    /// <summary>This node no longer serves: all receives end and all promises are void.</summary>
    public void Clear(BrokerFailure failure)
    {
        _index.Clear(failure);
        _budget.Reset();
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
        if (_topics.Find(operation.TopicId) is not { } topic)
        {
            operation.Complete(ReceiveGrant.Of(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted")));
            return null;
        }

        if (_groups.Find(operation.GroupId) is not { } group)
        {
            operation.Complete(ReceiveGrant.Of(
                new BrokerFailure(BrokerError.GroupNotFound, "the consumer group was deleted")));
            return null;
        }

        return (group, topic);
    }

    private void Serve(Receivers receivers)
    {
        if (receivers.FirstParked is null
            || _topics.Find(receivers.TopicId) is not { } topic
            || _groups.Find(receivers.GroupId) is not { } group)
        {
            return;
        }

        if (group.Pause is not null
            && !(_options.Defect == SeededDefect.LeaseBreaksPause && receivers.FirstParked.Value.CanWait))
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
        if (MayHold(operation, group, subscription)
            && (countMax = _budget.Allow(operation, receivers, group, out var room)) > 0)
        {
            room = QuotaRoom.Smaller(room, operation.Room);

            // The keys by which a group knows what it processed are in the records.
            if (operation.MustScan || group.View.Settings.Dedup.IsOn)
            {
                _scans.Begin(receivers, node, countMax, room, group, topic, subscription);
                return true;
            }

            command = _chooser.Choose(operation, countMax, room, receivers, group, topic, subscription);
            if (command is not null && _chooser.LeasedCount > 0)
            {
                receivers.Unpark(node);
                var charge = Quotas.Charge(group, operation.ClientHash, _chooser.LeasedCount, _chooser.LeasedBytes);
                _leases.Propose(command, receivers, operation, subscription, charge);
                return true;
            }
        }

        var isHeld = countMax > 0 && _chooser.RefusedBytes > 0;
        if (isHeld)
        {
            _budget.Hold(operation, receivers, group, _chooser.RefusedBytes);
        }

        if (command is not null)
        {
            _leases.Propose(command, receivers, operation: null, subscription);
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
        || _isGone(subscription.Holder);

    private void Subscribe(Receivers receivers)
    {
        if (receivers.IsSubscribing)
        {
            return;
        }

        receivers.IsSubscribing = true;
        var record = ControlRecord.Encode(
            RecordKind.ResetOffset, new SubscribeCommand(receivers.GroupId, receivers.TopicId).Encode());
        var proposal = new LeaderProposal(
            record,
            _inbox,
            (_, _) =>
            {
                receivers.IsSubscribing = false;
                _index.Mark(receivers);
            });
        if (_propose(proposal) is { } refused)
        {
            // Whoever asks again later is served; to mark them now would be to ask for the same in vain without end.
            receivers.IsSubscribing = false;
            receivers.EndAll(FailureMapping.Of(refused));
        }
    }
}
