using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;

namespace Dledger.Broker.DeadLetters;

/// <summary>Moves a message to its dead letter topic because a receiver asks for it. Any thread.</summary>
internal sealed class DeadLetterService(BrokerCalls calls)
{
    public async ValueTask<BrokerFailure?> ForwardAsync(
        string group, string topic, string handle, CancellationToken cancellationToken)
    {
        var (groupId, topicId, failure) = calls.Receipts.Resolve(group, topic);
        if ((failure ?? calls.Receipts.TryRead(handle, groupId, topicId, out _)) is { } refused)
        {
            return refused;
        }

        calls.Receipts.TryRead(handle, groupId, topicId, out var receipt);
        return calls.Machine.Groups.Find(group)?.Settings.Poison is PoisonMode.Block or PoisonMode.Park
            ? await GiveUpAsync(receipt.GroupId, topicId, receipt.Delivery, cancellationToken)
            : await ForwardAsync(
                group, topic, receipt.GroupId, topicId, receipt.Delivery, DeadLetterReason.AskedByReceiver, cancellationToken);
    }

    /// <summary>Moves a leased message to the group's dead letter topic. Null on success, also on a repeat.</summary>
    public async ValueTask<BrokerFailure?> ForwardAsync(
        string group,
        string topic,
        int groupId,
        int topicId,
        DeliveryReference delivery,
        DeadLetterReason reason,
        CancellationToken cancellationToken)
    {
        var (found, problem) = await calls.LookAsync<(LeasedMessage?, BrokerFailure?)>(
            state => (Locate(state, groupId, topicId, delivery), null),
            static refused => (null, refused),
            cancellationToken);
        if (found is not { } message)
        {
            return problem;
        }

        if (message.Verdict != DeliveryVerdict.Live)
        {
            return message.Verdict == DeliveryVerdict.Finished
                ? null
                : LeaseTable.Stale(delivery);
        }

        var (deadLetterTopicId, noTopic) = await EnsureTopicAsync(group, cancellationToken);
        if (noTopic is not null)
        {
            return noTopic;
        }

        var reference = new ForwardReference(groupId, topicId, delivery);
        return Encode(message, topic, deadLetterTopicId, reason, reference) is { } record
            ? await calls.ProposeRecordsAsync<BrokerFailure?>(record, 1, static refused => refused, cancellationToken)
            : new BrokerFailure(BrokerError.Unavailable, "the record of the message cannot be read");
    }

    // The group keeps such messages to itself: what it does when attempts run out, it does now.
    private ValueTask<BrokerFailure?> GiveUpAsync(
        int groupId, int topicId, in DeliveryReference delivery, CancellationToken cancellationToken) => calls.ProposeAsync(
        RecordKind.Parking,
        new ParkingCommand(
            ParkingAction.GiveUp, groupId, topicId, delivery.QueueId, delivery.Offset, null, delivery.DeliveryId).Encode(),
        cancellationToken);

    private static LeasedMessage Locate(BrokerState state, int groupId, int topicId, in DeliveryReference delivery)
    {
        var subscription = state.FindSubscription(groupId, topicId);
        var verdict = state.Leases.Locate(subscription, delivery);
        return verdict == DeliveryVerdict.Live
            ? new LeasedMessage(
                verdict,
                subscription!.Topic.Queues[delivery.QueueId].Read(delivery.Offset),
                subscription.Cursors[delivery.QueueId].At(delivery.Offset).Attempts,
                DeadLetterQueues.Of(subscription.Group, topicId),
                subscription.Group.View.Member?.ClientId ?? "")
            : new LeasedMessage(verdict, default, 0, 0, "");
    }

    private async ValueTask<(int TopicId, BrokerFailure? Failure)> EnsureTopicAsync(
        string group, CancellationToken cancellationToken)
    {
        var name = Names.DeadLetterTopic(group);
        if (calls.Machine.Topics.Find(name) is { } known)
        {
            return (known.Id, null);
        }

        var failure = await calls.ProposeRecordsAsync<BrokerFailure?>(
            DeadLetterTopic.EncodeCreation(name), 1, static reason => reason, cancellationToken);
        return failure is null && calls.Machine.Topics.Find(name) is { } created
            ? (created.Id, null)
            : (0, failure ?? new BrokerFailure(BrokerError.Busy, "the dead letter topic was deleted meanwhile"));
    }

    private byte[]? Encode(
        in LeasedMessage message,
        string topic,
        int deadLetterTopicId,
        DeadLetterReason reason,
        in ForwardReference reference)
    {
        if (calls.Records.Read(message.Entry.Position, message.Entry.Size) is not { } bytes)
        {
            return null;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        return DeadLetterEncoder.Encode(
            record,
            topic,
            deadLetterTopicId,
            message.DeadLetterQueue,
            message.Attempts,
            reason,
            reference,
            message.ClientId);
    }

    private readonly record struct LeasedMessage(
        DeliveryVerdict Verdict, ConsumeQueueEntry Entry, int Attempts, int DeadLetterQueue, string ClientId);
}
