using System.Runtime.CompilerServices;
using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Proposals;
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
    LeaderInbox inbox,
    Func<Proposal, ProposalFailure?> propose)
{
    private readonly SortedDictionary<(int TopicId, int GroupId), Receivers> _byPair = [];
    private readonly Dictionary<int, List<Receivers>> _byTopic = [];
    private readonly List<Receivers> _dirty = [];
    private readonly LeaseChooser _chooser = new(options.DeliveryWindow, options.Defect);
    private readonly StrongBox<int> _parkedCount = new();

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
            EndScan(operation, verdict, receivers, topic.Subscriptions.GetValueOrDefault(group.View.Id));
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
            if (leased.IsBoundTo(lease))
            {
                var (cursor, offset) = leased;
                var entry = lease.Subscription.Topic.Queues[cursor.QueueId].Read(offset);
                messages.Add(new GrantedMessage(
                    cursor.QueueId, offset, entry.Position, entry.Size, entry.TagHash, cursor.At(offset).Attempts));
            }
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
            else if (!_chooser.HasCandidates(receivers, group, topic, subscription))
            {
                receivers.EndUnwilling();
                return;
            }
            else
            {
                ServeOne(receivers, node, group, topic, subscription);
            }

            node = next;
        }
    }

    private void ServeOne(
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
            return;
        }

        if (operation.MustScan)
        {
            BeginScan(receivers, node, group, topic, subscription);
            return;
        }

        var command = _chooser.Choose(operation, receivers, group, topic, subscription);
        if (_chooser.LeasedCount > 0)
        {
            receivers.Unpark(node);
            Propose(new LeaseProposal(command!, receivers, operation, inbox, LeaseFailed), subscription);
            return;
        }

        if (command is not null)
        {
            Propose(new LeaseProposal(command, receivers, null, inbox, LeaseFailed), subscription);
        }

        if (!operation.TryReopen())
        {
            receivers.Unpark(node);
        }
    }

    // The records are read by the caller: the apply loop only says which, and keeps others away from them meanwhile.
    private void BeginScan(
        Receivers receivers,
        LinkedListNode<ReceiveOperation> node,
        GroupState group,
        TopicState topic,
        Subscription? subscription)
    {
        var operation = node.Value;
        if (_chooser.ChooseCandidates(operation, receivers, group, topic, subscription) is { } candidates)
        {
            receivers.Unpark(node);
            Reserve(receivers, candidates.Queues, subscription);
            var scan = new ScanGrant(receivers, candidates.Queues, topic, ended => inbox.Add(() => AbandonScan(ended)));
            operation.Complete(ReceiveGrant.Empty with { Scan = scan });
        }
        else if (!operation.TryReopen())
        {
            receivers.Unpark(node);
        }
    }

    private void EndScan(ReceiveOperation operation, ScanVerdict verdict, Receivers receivers, Subscription? subscription)
    {
        var isCurrent = ReferenceEquals(verdict.Scan.Receivers, receivers);
        AbandonScan(verdict.Scan);
        if (!isCurrent || !operation.TryClaim())
        {
            operation.Complete(ReceiveGrant.Empty);
            return;
        }

        receivers.Left.Add(operation, verdict, subscription);
        if (verdict.Queues.Count == 0)
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
            verdict.LeasedCount > 0 ? operation.AttemptHash : UInt128.Zero,
            verdict.Queues);
        Propose(new LeaseProposal(command, receivers, operation, inbox, LeaseFailed), subscription);
    }

    private void AbandonScan(ScanGrant scan)
    {
        if (scan.TryEnd() && IsCurrent(scan.Receivers))
        {
            Release(scan.Receivers, scan.Queues, failed: true);
            MarkDirty(scan.Receivers);
        }
    }

    private static void Reserve(Receivers receivers, IReadOnlyList<LeaseQueue> queues, Subscription? subscription)
    {
        foreach (var queue in queues)
        {
            var next = subscription?.Cursors[queue.QueueId].Next ?? 0;
            receivers.ReservationOf(queue.QueueId).Reserve(queue, next);
        }
    }

    private void Propose(LeaseProposal proposal, Subscription? subscription)
    {
        Reserve(proposal.Receivers, proposal.Command.Queues, subscription);

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
        if (IsCurrent(proposal.Receivers))
        {
            Release(proposal.Receivers, proposal.Command.Queues, failed);
        }
    }

    private bool IsCurrent(Receivers receivers) =>
        _byPair.TryGetValue((receivers.TopicId, receivers.GroupId), out var current) && ReferenceEquals(current, receivers);

    private static void Release(Receivers receivers, IReadOnlyList<LeaseQueue> queues, bool failed)
    {
        foreach (var queue in queues)
        {
            receivers.ReservationOf(queue.QueueId).Release(queue, failed);
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
