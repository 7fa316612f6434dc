using Dledger.Broker.Commands;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receipts;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Streaming;

/// <summary>Settles messages that a stream delivered, many with one record. Any thread.</summary>
internal sealed class SettleService(BrokerCalls calls)
{
    /// <summary>Null when all are settled, else the failure of the first that is not; the others are.</summary>
    public async ValueTask<BrokerFailure?> SettleAsync(SettleRequest request, CancellationToken cancellationToken)
    {
        if ((CheckCount(request.Ranges) ?? CheckDuration(request)) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        var (groupId, topicId, failure) = calls.Receipts.Resolve(request.Group, request.Topic);
        if (failure is not null)
        {
            return failure;
        }

        if (calls.Machine.Topics.Find(request.Topic) is not { } topic || !AreIn(request.Ranges, topic))
        {
            return new BrokerFailure(BrokerError.InvalidHandle, "a span names a queue that the topic does not have");
        }

        (var leasedTo, failure) = await calls.Groups.JoinAsync(
            calls.Machine.Groups.Find(request.Group)!, request.ClientId, cancellationToken);
        if (leasedTo is null)
        {
            return failure;
        }

        calls.Machine.Clients.Seen(request.ClientId);
        var deliveries = DeliveriesOf(request);
        return request.Settlement == Settlement.Ack
            ? await AckAsync(leasedTo.Id, topicId, deliveries, cancellationToken)
            : await ChangeAsync(leasedTo.Id, topicId, deliveries, request.After, cancellationToken);
    }

    private static Violation? CheckCount(IReadOnlyList<MessageRange> ranges)
    {
        var count = 0L;
        foreach (var range in ranges)
        {
            if (range.Count < 1 || range.First < 0 || range.First > long.MaxValue - range.Count)
            {
                return new Violation(
                    BrokenRule.Batch, $"a span of {range.Count} messages from offset {range.First} on is none");
            }

            count += range.Count;
        }

        return count is < 1 or > Limits.AckBatchMax
            ? new Violation(BrokenRule.Batch, $"{count} messages are named; 1 to {Limits.AckBatchMax} are allowed")
            : null;
    }

    // What is applied trusts its references to name queues that exist.
    private static bool AreIn(IReadOnlyList<MessageRange> ranges, TopicView topic)
    {
        foreach (var range in ranges)
        {
            if ((uint)range.QueueId >= (uint)topic.QueueEnd)
            {
                return false;
            }
        }

        return true;
    }

    private static Violation? CheckDuration(SettleRequest request) =>
        request.Settlement == Settlement.Ack ? null
        : request.Settlement == Settlement.Renew && request.After <= TimeSpan.Zero
            ? new Violation(BrokenRule.InvisibleDuration, "a renewal by nothing would end the lease; ask for a retry instead")
        : MessageRules.CheckChangedInvisible(request.After);

    private List<DeliveryReference> DeliveriesOf(SettleRequest request)
    {
        var deliveries = new List<DeliveryReference>();
        foreach (var range in request.Ranges)
        {
            var count = (request.Settlement, calls.Options.Defect) switch
            {
                (Settlement.Ack, SeededDefect.SpanAckedTooFar) => range.Count + 1,
                (not Settlement.Ack, SeededDefect.SpanRenewedInPart) => 1,
                _ => range.Count,
            };
            for (var i = 0; i < count; i++)
            {
                deliveries.Add(new DeliveryReference(range.QueueId, range.First + i, request.DeliveryId));
            }
        }

        return deliveries;
    }

    private async ValueTask<BrokerFailure?> AckAsync(
        int groupId, int topicId, List<DeliveryReference> deliveries, CancellationToken cancellationToken)
    {
        var record = ControlRecord.Encode(RecordKind.Ack, new AckCommand(groupId, topicId, deliveries).Encode());
        var outcomes = await calls.ProposeRecordsAsync(
            record, 1, problem => ReceiptService.All(deliveries.Count, problem), cancellationToken);
        foreach (var outcome in outcomes)
        {
            if (outcome.Failure is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private async ValueTask<BrokerFailure?> ChangeAsync(
        int groupId, int topicId, List<DeliveryReference> deliveries, TimeSpan after, CancellationToken cancellationToken)
    {
        var records = new ByteWriter(deliveries.Count * 128);
        foreach (var delivery in deliveries)
        {
            var command = ChangeInvisibleCommand.OfChange(
                groupId, topicId, delivery, after.Ticks / TimeSpan.TicksPerMicrosecond, suspend: false);
            records.Bytes(ControlRecord.Encode(RecordKind.ChangeInvisible, command.Encode()));
        }

        var proposal = new CallerProposal<BrokerFailure?>(records.ToArray(), deliveries.Count, static failure => failure)
        {
            Merge = static (first, next) => first ?? next,
        };
        return calls.Log.TryPropose(proposal, out var refused)
            ? await proposal.Task.WaitAsync(cancellationToken)
            : FailureMapping.Of(refused);
    }
}
