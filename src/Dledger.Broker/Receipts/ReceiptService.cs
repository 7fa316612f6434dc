using Dledger.Broker.Commands;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Receipts;

/// <summary>What receivers do with their receipts. Any thread.</summary>
internal sealed class ReceiptService(BrokerCalls calls)
{
    /// <summary>One failure for every handle of a call.</summary>
    public static IReadOnlyList<AckOutcome> All(int count, BrokerFailure failure)
    {
        var outcomes = new AckOutcome[count];
        Array.Fill(outcomes, new AckOutcome(failure));
        return outcomes;
    }

    public async ValueTask<IReadOnlyList<AckOutcome>> AckAsync(
        string group, string topic, IReadOnlyList<string> handles, CancellationToken cancellationToken)
    {
        if (handles.Count > Limits.AckBatchMax)
        {
            return All(handles.Count, BrokerFailure.Of(new Violation(
                BrokenRule.Batch, $"{handles.Count} receipt handles are given; the limit is {Limits.AckBatchMax}")));
        }

        var (groupId, topicId, failure) = Resolve(group, topic);
        if (failure is { } reason)
        {
            return All(handles.Count, reason);
        }

        var outcomes = new AckOutcome[handles.Count];
        var deliveries = new List<DeliveryReference>(handles.Count);
        var leasedTo = groupId;
        for (var i = 0; i < handles.Count; i++)
        {
            var invalid = TryRead(handles[i], groupId, topicId, out var receipt);
            if (invalid is null && deliveries.Count > 0 && receipt.GroupId != leasedTo)
            {
                invalid = new BrokerFailure(
                    BrokerError.InvalidHandle, "the receipt handle belongs to another client of the broadcast group than the first one");
            }

            outcomes[i] = new AckOutcome(invalid);
            if (invalid is null)
            {
                leasedTo = receipt.GroupId;
                deliveries.Add(receipt.Delivery);
            }
        }

        if (deliveries.Count == 0)
        {
            return outcomes;
        }

        var record = ControlRecord.Encode(
            RecordKind.Ack, new AckCommand(leasedTo, topicId, deliveries).Encode());
        var proposed = calls.ProposeRecordsAsync(
            record, 1, problem => All(deliveries.Count, problem), cancellationToken);
        if (calls.Options.Defect == SeededDefect.AckBeforeCommit)
        {
            return outcomes;
        }

        var applied = await proposed;
        for (int i = 0, j = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i].Succeeded)
            {
                outcomes[i] = applied[j];
                j++;
            }
        }

        return outcomes;
    }

    public async ValueTask<ChangeInvisibleOutcome> ChangeInvisibleAsync(
        string group,
        string topic,
        string handle,
        TimeSpan duration,
        bool suspend,
        bool raisesToBackoff,
        CancellationToken cancellationToken)
    {
        if (MessageRules.CheckChangedInvisible(duration) is { } violation)
        {
            return new ChangeInvisibleOutcome(BrokerFailure.Of(violation), handle);
        }

        var (groupId, topicId, failure) = Resolve(group, topic);
        if (failure is not null)
        {
            return new ChangeInvisibleOutcome(failure, handle);
        }

        if (TryRead(handle, groupId, topicId, out var receipt) is { } invalid)
        {
            return new ChangeInvisibleOutcome(invalid, handle);
        }

        var command = ChangeInvisibleCommand.OfChange(
            receipt.GroupId, topicId, receipt.Delivery, duration.Ticks / TimeSpan.TicksPerMicrosecond, suspend)
            with
        { RaisesToBackoff = raisesToBackoff };
        var result = await calls.ProposeAsync(RecordKind.ChangeInvisible, command.Encode(), cancellationToken);
        return new ChangeInvisibleOutcome(result, handle);
    }

    /// <summary>Checks names and the right to write; the numbers of group and topic, or what to answer.</summary>
    public (int GroupId, int TopicId, BrokerFailure? Failure) Resolve(string group, string topic)
    {
        if ((Names.CheckGroup(group) ?? Names.CheckTopic(topic)) is { } violation)
        {
            return (0, 0, BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return (0, 0, notServing);
        }

        if (calls.Machine.Topics.Find(topic) is not { } topicView)
        {
            return (0, 0, TopicService.NotFound(topic));
        }

        return calls.Machine.Groups.Find(group) is { } groupView
            ? (groupView.Id, topicView.Id, null)
            : (0, 0, Groups.GroupService.NotFound(group));
    }

    /// <summary>Null when the handle is ours and of this group, or of a member of it, and topic.</summary>
    public BrokerFailure? TryRead(string? handle, int groupId, int topicId, out Receipt receipt)
    {
        if (!calls.Codec.TryDecode(handle, out receipt) || receipt.RaftGroup != calls.Log.Group.Value)
        {
            return new BrokerFailure(BrokerError.InvalidHandle, "this is not a receipt handle of this cluster");
        }

        var isOfGroup = receipt.GroupId == groupId || calls.Machine.Groups.OwnerOf(receipt.GroupId) == groupId;
        return !isOfGroup || receipt.TopicId != topicId
            ? new BrokerFailure(
                BrokerError.InvalidHandle, "the receipt handle belongs to another consumer group or topic")
            : null;
    }
}
