using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Receipts;
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
        var (verdict, entry, problem) = await calls.LookAsync(
            state => Locate(state, receipt),
            static reason => (DeliveryVerdict.Stale, default, reason),
            cancellationToken);
        if (problem is not null)
        {
            return problem;
        }

        if (verdict != DeliveryVerdict.Live)
        {
            return verdict == DeliveryVerdict.Finished
                ? null
                : LeaseTable.Stale(receipt.Delivery);
        }

        var (deadLetterTopicId, noTopic) = await EnsureTopicAsync(group, cancellationToken);
        if (noTopic is not null)
        {
            return noTopic;
        }

        var reference = new ForwardReference(groupId, topicId, receipt.Delivery);
        return Encode(entry, topic, deadLetterTopicId, reference) is { } record
            ? await calls.ProposeRecordsAsync<BrokerFailure?>(record, 1, static reason => reason, cancellationToken)
            : new BrokerFailure(BrokerError.Unavailable, "the record of the message cannot be read");
    }

    private static (DeliveryVerdict Verdict, ConsumeQueueEntry Entry, BrokerFailure? Problem) Locate(
        BrokerState state, Receipt receipt)
    {
        var subscription = state.FindSubscription(receipt.GroupId, receipt.TopicId);
        var verdict = state.Leases.Locate(subscription, receipt.Delivery);
        return verdict == DeliveryVerdict.Live
            ? (verdict, subscription!.Topic.Queues[receipt.Delivery.QueueId].Read(receipt.Delivery.Offset), null)
            : (verdict, default, null);
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

    private byte[]? Encode(ConsumeQueueEntry entry, string topic, int deadLetterTopicId, in ForwardReference reference)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(entry.Size);
        if (calls.Log.Read(entry.Position, bytes) != bytes.Length)
        {
            return null;
        }

        if (RecordView.TryParseSealed(bytes, entry.Position, out var record, out _))
        {
            return DeadLetterEncoder.Encode(record, topic, deadLetterTopicId, reference);
        }

        calls.Log.ReportUnreadable(entry.Position);
        return null;
    }
}
