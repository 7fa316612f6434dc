using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Offsets;

/// <summary>Reads queues by offset for callers. Any thread.</summary>
internal sealed class PullService(BrokerCalls calls, PollTimer polls, ILogger logger)
{
    /// <summary>
    /// Most records that one call reads for a filter that needs them; then it answers without messages and says where to read on.
    /// </summary>
    private const int RecordsMax = 4_096;

    /// <summary>Bytes of records after which one step ends with what it has.</summary>
    private const int BytesMax = 8 << 20;

    public async ValueTask<PullOutcome> PullAsync(PullRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if ((Names.CheckGroup(request.Group) ?? Names.CheckTopic(request.Topic)) is { } violation)
        {
            return PullOutcome.Of(BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return PullOutcome.Of(notServing);
        }

        if (calls.Machine.Topics.Find(request.Topic) is not { } topic)
        {
            return PullOutcome.Of(TopicService.NotFound(request.Topic));
        }

        if (OffsetRules.CheckQueue(topic, request.QueueId) is { } wrongQueue)
        {
            return PullOutcome.Of(BrokerFailure.Of(wrongQueue));
        }

        calls.Machine.Clients.Seen(request.ClientId);
        var deadline = polls.DeadlineAfter(request.LongPoll);
        var recordsLeft = RecordsMax;
        for (var offset = request.Offset; ;)
        {
            var grant = await RunAsync(request, topic, offset, deadline, cancellationToken);
            if (grant.IsOutside)
            {
                return await OutsideAsync(request, topic, grant, cancellationToken);
            }

            if (grant.Failure is { } failure)
            {
                return PullOutcome.Of(failure);
            }

            var outcome = Read(grant, topic.Name, request);
            recordsLeft -= request.Filter.NeedsRecords ? grant.Entries.Count : 0;
            if (outcome.Failure is not null
                || outcome.Messages.Count > 0
                || recordsLeft <= 0
                || (outcome.NextOffset == grant.Max && !polls.IsAhead(deadline)))
            {
                return outcome;
            }

            // Only others' messages so far; there is more to look at, or time to wait for more.
            offset = outcome.NextOffset ?? grant.NextOffset;
        }
    }

    private async ValueTask<PullGrant> RunAsync(
        PullRequest request, TopicView topic, long offset, long deadline, CancellationToken cancellationToken)
    {
        var operation = new PullOperation
        {
            TopicId = topic.Id,
            QueueId = request.QueueId,
            GroupId = calls.Machine.Groups.Find(request.Group)?.Id ?? 0,
            ClientHash = calls.Options.ClientQuota.IsOn ? IdentityHash.OfClient(request.ClientId) : 0,
            Offset = offset,
            Filter = request.Filter,
            BatchSize = request.Filter.NeedsRecords ? ScanGrant.CountMax : BatchOf(request),
            TakenMax = BatchOf(request),
            CanWait = polls.IsAhead(deadline),
        };
        if (operation.CanWait)
        {
            polls.Add(operation, deadline);
        }

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((PullOperation)state!).Cancel(token), operation);
        try
        {
            return calls.Log.TryPost(operation)
                ? await operation.Task
                : PullGrant.Of(new BrokerFailure(BrokerError.Busy, "too many requests wait for the state machine"));
        }
        finally
        {
            if (operation.CanWait)
            {
                polls.Remove(operation, deadline);
            }
        }
    }

    // A leader that was replaced without noticing may not know the end of the queue; who is sent back reads everything again.
    private async ValueTask<PullOutcome> OutsideAsync(
        PullRequest request, TopicView topic, PullGrant seen, CancellationToken cancellationToken)
    {
        var (range, failure) = await calls.LookAsync<((long Min, long Max)?, BrokerFailure?)>(
            state => state.Topics.Find(topic.Id) is { } known
                ? ((known.Queues[request.QueueId].Min, known.Queues[request.QueueId].Max), null)
                : (null, new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted")),
            static failure => (null, failure),
            cancellationToken);
        if (range is not var (min, max))
        {
            return PullOutcome.Of(failure!.Value);
        }

        var nearest = Math.Clamp(seen.NextOffset, min, max);
        return nearest == seen.NextOffset
            ? new PullOutcome(null, [], nearest)
            : new PullOutcome(
                BrokerFailure.Of(OffsetRules.Outside(topic.Name, request.QueueId, seen.NextOffset, min, max)), [], nearest);
    }

    private static int BatchOf(PullRequest request) => Math.Clamp(request.BatchSize, 1, Limits.ReceiveBatchMax);

    // A record that cannot be read ends the answer before it, so that nobody reads past it unawares.
    private PullOutcome Read(PullGrant grant, string topic, PullRequest request)
    {
        var filter = request.Filter;
        var batch = BatchOf(request);
        var bytesLeft = (long)BytesMax;
        var messages = new List<DeliveredMessage>(grant.Entries.Count);
        foreach (var entry in grant.Entries)
        {
            if (messages.Count == batch || bytesLeft <= 0)
            {
                return new PullOutcome(null, messages, entry.Offset);
            }

            bytesLeft -= filter.NeedsRecords ? entry.Size : 0;
            if (TryRead(entry, topic) is not { } bytes)
            {
                return messages.Count > 0
                    ? new PullOutcome(null, messages, entry.Offset)
                    : PullOutcome.Of(new BrokerFailure(
                        BrokerError.Unavailable,
                        $"the record of offset {entry.Offset} in queue {entry.QueueId} cannot be read at present"));
            }

            RecordView.TryParseUnchecked(bytes, out var record, out _);
            if (filter.MatchesAll || filter.Matches(record))
            {
                messages.Add(new DeliveredMessage(bytes, new DeliveryContext(
                    topic, entry.QueueId, new QueueOffset(entry.Offset), entry.Position, 1, null, TimeSpan.Zero)));
            }
        }

        return new PullOutcome(null, messages, grant.NextOffset);
    }

    private byte[]? TryRead(in GrantedMessage entry, string topic)
    {
        if (calls.Records.Read(entry.Position, entry.Size, out var fault) is { } bytes)
        {
            return bytes;
        }

        BrokerEvents.RecordUnreadable(logger, entry.Position, entry.QueueId, entry.Offset, topic, fault ?? "unknown");
        return null;
    }
}
