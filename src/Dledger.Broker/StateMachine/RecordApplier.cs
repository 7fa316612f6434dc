using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Letters;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Parking;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.Broker.Replays;
using Dledger.Broker.Routes;
using Dledger.Broker.Timers;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.StateMachine;

/// <summary>
/// Applies one committed record: changes the state by the record alone, and tells the leader's duties and the record's
/// proposal, where this node has them, what came of it. Owned by the apply loop.
/// </summary>
internal sealed class RecordApplier(BrokerState state, LeaderDuties duties, SeededDefect defect, ILogger logger)
{
    private readonly AppendGate _gate = new(state, defect);
    private readonly BatchApplier _batches = new(state, duties, defect);
    private readonly TimerApplier _timers = new(state, duties, defect);
    private readonly RouteApplier _routes = new(state, duties);

    /// <summary>An unknown kind stops the node: skipping it would make its state differ from the others'.</summary>
    public void Apply(in RecordView record, LogPosition position, BrokerProposal? proposal)
    {
        switch (record.Kind)
        {
            case RecordKind.Message:
                ApplyMessage(record, position, (IAppendAnswers?)proposal);
                break;
            case RecordKind.MessageBatch:
                _batches.Apply(record, position, (IAppendAnswers?)proposal);
                break;
            case RecordKind.HalfMessage:
                ApplyHalfMessage(record, position, (IAppendAnswers?)proposal);
                break;
            case RecordKind.EndTransaction:
                SetOutcome(proposal, state.Transactions.End(EndTransactionCommand.Decode(record.Body), state.LogTime));
                break;
            case RecordKind.TransactionCheck:
                duties.AskProducers(state.Transactions.Check(
                    TransactionCheckCommand.Decode(record.Body), state.Topics, state.LogTime), isOwn: proposal is not null);
                break;
            case RecordKind.TransactionPublish when state.Transactions.TryPublish(TransactionReference.Read(record)):
            case RecordKind.TransactionDiscard when state.Transactions.TryForward(TransactionReference.Read(record)):
                ApplyMessage(record, position, null);
                break;
            case RecordKind.TransactionPublish:
            case RecordKind.TransactionDiscard:
                break;
            case RecordKind.Lease:
                ApplyLease(LeaseCommand.Decode(record.Body), position, (LeaseProposal?)proposal);
                break;
            case RecordKind.Ack:
                ApplyAck(AckCommand.Decode(record.Body), proposal as CallerProposal<IReadOnlyList<AckOutcome>>);
                break;
            case RecordKind.FinishUnseen:
                ApplyFinishUnseen(FinishUnseenCommand.Decode(record.Body));
                break;
            case RecordKind.ChangeInvisible:
                ApplyChange(ChangeInvisibleCommand.Decode(record.Body), proposal);
                break;
            case RecordKind.Forward:
                SetOutcome(proposal, ApplyForward(record, position));
                break;
            case RecordKind.Resend:
                SetOutcome(proposal, ApplyResend(record, position));
                break;
            case RecordKind.TopicUpsert:
                SetOutcome(proposal, ApplyTopicUpsert(TopicUpsertCommand.Decode(record.Body)));
                break;
            case RecordKind.TopicDelete:
                SetOutcome(proposal, ApplyTopicDelete(NameCommand.Decode(record.Body).Name));
                break;
            case RecordKind.GroupUpsert:
                SetOutcome(proposal, ApplyGroupUpsert(GroupUpsertCommand.Decode(record.Body)));
                break;
            case RecordKind.GroupDelete:
                SetOutcome(proposal, ApplyGroupDelete(NameCommand.Decode(record.Body).Name));
                break;
            case RecordKind.GroupPause:
                SetOutcome(proposal, ApplyGroupPause(GroupPauseCommand.Decode(record.Body)));
                break;
            case RecordKind.BroadcastJoin:
                SetOutcome(proposal, ApplyJoin(BroadcastJoinCommand.Decode(record.Body)));
                break;
            case RecordKind.BroadcastEnd:
                ApplyMemberEnds(BroadcastEndCommand.Decode(record.Body));
                break;
            case RecordKind.Parking:
                ApplyParking(ParkingCommand.Decode(record.Body), proposal);
                break;
            case RecordKind.ResetOffset:
                ApplyReset(record.Body, proposal as CallerProposal<SeekOutcome>);
                break;
            case RecordKind.Replay:
                ApplyReplay(ReplayCommand.Decode(record.Body), proposal as CallerProposal<ReplayApplied>);
                break;
            case RecordKind.CommitOffset:
                SetOutcome(proposal, OffsetApplier.Commit(state, CommitOffsetCommand.Decode(record.Body)));
                break;
            case RecordKind.LogStartAdvance:
                state.AdvanceLogStart(LogStartCommand.Decode(record.Body).Start);
                break;
            case RecordKind.TopicTrim:
                state.TrimTopic(TopicTrimCommand.Decode(record.Body));
                SetOutcome(proposal, null);
                break;
            case RecordKind.LiteCreate:
                SetOutcome(proposal, LiteApplier.Create(state, LiteCreateCommand.Decode(record.Body)));
                break;
            case RecordKind.LiteEnd:
                SetOutcome(proposal, ApplyLiteEnd(LiteEndCommand.Decode(record.Body)));
                break;
            case RecordKind.TimerFire:
            case RecordKind.Relocate:
            case RecordKind.TimerCancel:
            case RecordKind.TimerMove:
                _timers.Apply(record, position, proposal);
                break;
            case RecordKind.InitProducer:
                ApplyInitProducer(
                    InitProducerCommand.Decode(record.Body), position, proposal as CallerProposal<InitProducerOutcome>);
                break;
            case RecordKind.Tick:
            case RecordKind.TermStart:
            case RecordKind.Configuration:
                break;
            default:
                Invariant.Fail(
                    $"record kind 0x{(byte)record.Kind:x2} at {position} is unknown to this version; upgrade the node");
                break;
        }
    }

    private static void SetOutcome(BrokerProposal? proposal, BrokerFailure? failure) =>
        (proposal as CallerProposal<BrokerFailure?>)?.SetOutcome(failure);

    private void ApplyReset(ReadOnlySpan<byte> body, CallerProposal<SeekOutcome>? proposal)
    {
        if (!SeekCommand.IsSeek(body))
        {
            state.SubscribeAtEnd(SubscribeCommand.Decode(body));
            return;
        }

        var outcome = OffsetApplier.Seek(state, SeekCommand.Decode(body));
        proposal?.SetOutcome(outcome);
    }

    private void ApplyReplay(ReplayCommand command, CallerProposal<ReplayApplied>? proposal)
    {
        var applied = ReplayApplier.Apply(state, command, defect);
        if (applied.PutBackCount > 0 && command.Letter is null)
        {
            BrokerEvents.MessagesReplayed(
                logger,
                applied.PutBackCount,
                command.QueueId,
                state.Topics.Find(command.TopicId)?.View.Name ?? "",
                state.Groups.Find(command.GroupId)?.View.Name ?? "");
        }

        proposal?.SetOutcome(applied);
    }

    private void ApplyMessage(in RecordView record, LogPosition position, IAppendAnswers? proposal)
    {
        if (state.Topics.Find(record.TopicId) is not { } topic
            || record.QueueId < 0
            || record.QueueId >= topic.Queues.Count)
        {
            proposal?.Refuse(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted"));
            return;
        }

        if (LiteApplier.Admit(topic, record, state.LogTime) is { } gone)
        {
            proposal?.Refuse(gone);
            return;
        }

        var mark = AppendMark.Of(record);
        if (_gate.TryAnswer(mark, topic, out var answer))
        {
            proposal?.Add(answer);
            if (defect == SeededDefect.RepeatRoutedAgain)
            {
                _routes.Apply(record, position);
            }

            return;
        }

        if (_timers.TryDefer(record, position))
        {
            var deferred = new AppendedMessage(record.QueueId, new QueueOffset(-1), position, record.StoreTime);
            _gate.Remember(mark, topic, deferred);
            proposal?.Add(new AppendEntry(deferred with { QueueOffset = default, DeliverAtMicroseconds = record.DeliverAt }));
            return;
        }

        var offset = topic.Queues[record.QueueId].Append(position, record);
        var appended = new AppendedMessage(record.QueueId, offset, position, record.StoreTime);
        _gate.Remember(mark, topic, appended);
        proposal?.Add(new AppendEntry(appended));
        duties.MessageAppended(topic.Id, record.QueueId);
        _routes.Apply(record, position);
    }

    private void ApplyHalfMessage(in RecordView record, LogPosition position, IAppendAnswers? proposal)
    {
        if (state.Topics.Find(record.TopicId) is not { } topic || record.QueueId >= topic.Queues.Count)
        {
            proposal?.Refuse(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted"));
        }
        else if (state.Transactions.Add(topic, record, position, state.LogTime) is { } failure)
        {
            proposal?.Refuse(failure);
        }
        else
        {
            // It has no offset: it is in no queue.
            proposal?.Add(new AppendEntry(new AppendedMessage(record.QueueId, new QueueOffset(0), position, record.StoreTime)));
        }
    }

    private void ApplyInitProducer(
        InitProducerCommand command, LogPosition position, CallerProposal<InitProducerOutcome>? proposal)
    {
        var producer = state.Producers.Init(command.Name, command.ExpiryMicroseconds, position, state.LogTime);
        proposal?.SetOutcome(new InitProducerOutcome(producer.Id, producer.Epoch));
    }

    private void ApplyLease(LeaseCommand command, LogPosition position, LeaseProposal? proposal)
    {
        var (subscription, failure) = state.Subscribe(command.GroupId, command.TopicId);
        var countsAttempts = proposal is not null || defect != SeededDefect.AttemptsNotReplicated;
        var lease = subscription is null
            ? null
            : state.Leases.Take(subscription, command, position.Value, state.LogTime, countsAttempts);
        if (subscription?.Group.Owner is not null)
        {
            subscription.Group.UsedAt = state.LogTime;
        }

        if (proposal is null)
        {
            return;
        }

        duties.Receivers.LeaseApplied(proposal, lease, failure);
        if (lease is not null && lease.DeliveryId == position.Value)
        {
            duties.Watch(lease);
        }
    }

    private void ApplyAck(AckCommand command, CallerProposal<IReadOnlyList<AckOutcome>>? proposal)
    {
        var subscription = state.FindSubscription(command.GroupId, command.TopicId);
        var outcomes = proposal is null ? null : new AckOutcome[command.Deliveries.Count];
        for (var i = 0; i < command.Deliveries.Count; i++)
        {
            var failure = state.Leases.Finish(subscription, command.Deliveries[i], state.LogTime);
            if (defect == SeededDefect.AckFinishesForAllMembers)
            {
                FinishForOthers(subscription, command.Deliveries[i]);
            }

            if (outcomes is not null)
            {
                outcomes[i] = new AckOutcome(failure);
            }
        }

        proposal?.SetOutcome(outcomes!);
    }

    // Nobody processed them, so their keys are not remembered.
    private void ApplyFinishUnseen(FinishUnseenCommand command)
    {
        var subscription = state.FindSubscription(command.GroupId, command.TopicId);
        foreach (var delivery in command.Deliveries)
        {
            state.Leases.Finish(subscription, delivery, state.LogTime, isProcessed: false);
        }
    }

    // The seeded defect only.
    private static void FinishForOthers(Subscription? subscription, in DeliveryReference delivery)
    {
        IEnumerable<GroupState> members = subscription?.Group.Owner is { } owner ? owner.Members.Values : [];
        foreach (var member in members)
        {
            if (member.Subscriptions.TryGetValue(subscription!.Topic.Id, out var other)
                && other.Cursors[delivery.QueueId] is { IsOrdered: false } cursor
                && cursor.IsAvailable(delivery.Offset))
            {
                cursor.Skip(delivery.Offset);
            }
        }
    }

    private void ApplyChange(ChangeInvisibleCommand command, BrokerProposal? proposal)
    {
        if (command.Change is not null)
        {
            var subscription = state.FindSubscription(command.GroupId, command.TopicId);
            SetOutcome(proposal, state.Leases.Change(subscription, command, state.LogTime));
            return;
        }

        foreach (var deliveryId in command.RenewedLeases)
        {
            var lease = state.Leases.Renew(
                deliveryId, command.InvisibleMicroseconds, command.RenewalMicrosecondsMax, state.LogTime);
            if (lease is not null && proposal is not null)
            {
                duties.Watch(lease);
            }
        }
    }

    private BrokerFailure? ApplyForward(in RecordView record, LogPosition position)
    {
        var reference = DeadLetterEncoder.ReadReference(record);
        if (state.Topics.Find(record.TopicId) is not { } topic)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, "the dead letter topic was deleted");
        }

        var subscription = state.FindSubscription(reference.GroupId, reference.TopicId);
        if (subscription is not null
            && DeadLetterQueues.Of(subscription.Group, reference.TopicId) != record.QueueId)
        {
            return new BrokerFailure(
                BrokerError.Busy, "the queue for dead letters of this topic went to another topic meanwhile; ask again");
        }

        switch (state.Leases.Forward(subscription, reference.Delivery))
        {
            case ForwardVerdict.Copied:
                DeadLetterQueues.Assign(subscription!.Group, reference.TopicId);
                state.Topics.GrowTo(topic, record.QueueId + 1);
                topic.Queues[record.QueueId].Append(position, record);
                duties.MessageAppended(topic.Id, record.QueueId);
                return null;
            case ForwardVerdict.Stale:
                return LeaseTable.Stale(reference.Delivery);
            default:
                return null;
        }
    }

    private BrokerFailure? ApplyResend(in RecordView record, LogPosition position)
    {
        if (state.Topics.Find(record.TopicId) is not { } topic || record.QueueId >= topic.Queues.Count)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, "the origin topic was deleted");
        }

        if (LiteApplier.Admit(topic, record, state.LogTime) is { } gone)
        {
            return gone;
        }

        if (LetterEncoder.Note(state, LetterEncoder.ReadReference(record)) is { } failure)
        {
            return failure;
        }

        topic.Queues[record.QueueId].Append(position, record);
        duties.Receivers.MessageAppended(topic.Id);
        return null;
    }

    private BrokerFailure? ApplyJoin(BroadcastJoinCommand command)
    {
        if (command.IsJoin)
        {
            return state.Groups.Join(command, state.LogTime).Failure;
        }

        foreach (var id in command.Present)
        {
            if (state.Groups.Find(id) is { Owner: not null } member)
            {
                member.UsedAt = state.LogTime;
            }
        }

        return null;
    }

    private void ApplyMemberEnds(BroadcastEndCommand command)
    {
        var left = command.Members.Where(static end => end.HasLeft).Select(static end => end.Id).ToHashSet();
        foreach (var member in state.EndMembers(command))
        {
            BrokerEvents.MemberEnded(
                logger,
                Names.Printable(member.View.Member!.Value.ClientId),
                member.View.Name,
                left.Contains(member.View.Id) ? "it said goodbye" : "it was silent for too long");
            RemoveReceivers(member, "the membership of this client in the broadcast group ended");
        }
    }

    private void RemoveReceivers(GroupState group, string why)
    {
        duties.Receivers.Remove(
            receivers => receivers.GroupId == group.View.Id, new BrokerFailure(BrokerError.GroupNotFound, why));
        duties.Receivers.Quotas.Forget(group.View.Id);
    }

    private void GroupChanged(GroupState group)
    {
        duties.Receivers.GroupChanged(group.View.Id);
        foreach (var member in group.Members.Values)
        {
            duties.Receivers.GroupChanged(member.View.Id);
        }
    }

    private BrokerFailure? ApplyLiteEnd(LiteEndCommand command)
    {
        var ended = LiteApplier.End(state, command, defect);
        if (command.IsForced && ended.Count > 0)
        {
            duties.LitesEnded(command.TopicId, ended);
        }

        return ended.Count == 0 && command.IsForced
            ? new BrokerFailure(BrokerError.TopicNotFound, "there is no such lite topic", Rule: BrokenRule.LiteTopic)
            : null;
    }

    private BrokerFailure? ApplyGroupPause(GroupPauseCommand command)
    {
        if (state.Groups.Pause(command, state.LogTime) is not { } group)
        {
            return new BrokerFailure(BrokerError.GroupNotFound, $"there is no consumer group '{command.Name}'");
        }

        GroupChanged(group);
        return null;
    }

    private void ApplyParking(ParkingCommand command, BrokerProposal? proposal)
    {
        if (command.Action == ParkingAction.GiveUp)
        {
            SetOutcome(proposal, state.Leases.GiveUp(
                state.FindSubscription(command.GroupId, command.TopicId),
                new DeliveryReference(command.QueueId, command.Offset, command.DeliveryId),
                state.LogTime));
            return;
        }

        var outcome = state.Groups.Find(command.GroupId) is { } group
            ? (ParkingTable.Apply(state.Leases, group, command), (BrokerFailure?)null)
            : (0, new BrokerFailure(BrokerError.GroupNotFound, "the consumer group was deleted"));
        (proposal as CallerProposal<(int Count, BrokerFailure? Failure)>)?.SetOutcome(outcome);
    }

    private BrokerFailure? ApplyTopicUpsert(TopicUpsertCommand command)
    {
        var isNew = state.Topics.Find(command.Name) is null;
        var failure = state.Topics.Upsert(command, state.LogTime);
        if (isNew && failure is null)
        {
            BrokerEvents.TopicCreated(logger, command.Name, command.QueueCount);
        }

        return failure;
    }

    private BrokerFailure? ApplyTopicDelete(string name)
    {
        if (state.Topics.Find(name) is { } doomed && RouteRules.CheckDeletion(state.Topics, doomed) is { } refused)
        {
            return refused;
        }

        if (state.DeleteTopic(name) is not { } topic)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, $"there is no topic '{name}'");
        }

        duties.Receivers.Remove(
            receivers => receivers.TopicId == topic.Id,
            new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{name}' was deleted"));
        duties.ProduceQuotas.Forget(topic.Id);
        duties.Pulls.Remove(topic.Id, new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{name}' was deleted"));
        BrokerEvents.TopicDeleted(logger, name);
        return null;
    }

    private BrokerFailure? ApplyGroupUpsert(GroupUpsertCommand command)
    {
        var isNew = state.Groups.Find(command.Name) is null;
        var failure = state.Groups.Upsert(command, state.LogTime);
        if (isNew && failure is null)
        {
            BrokerEvents.GroupCreated(logger, command.Name);
        }
        else if (failure is null)
        {
            GroupChanged(state.Groups.Find(command.Name)!);
        }

        return failure;
    }

    private BrokerFailure? ApplyGroupDelete(string name)
    {
        var members = state.Groups.Find(name)?.Members.Values.ToList() ?? [];
        if (state.DeleteGroup(name) is not { } group)
        {
            return new BrokerFailure(BrokerError.GroupNotFound, $"there is no consumer group '{name}'");
        }

        foreach (var gone in members.Append(group))
        {
            RemoveReceivers(gone, $"the consumer group '{name}' was deleted");
        }

        BrokerEvents.GroupDeleted(logger, name);
        return null;
    }
}
