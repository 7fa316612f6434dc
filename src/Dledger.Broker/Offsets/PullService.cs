using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Streaming;
using Dledger.Broker.Topics;
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

    /// <summary>Messages of a queue, as many as a receive may bring.</summary>
    public async ValueTask<PullOutcome> PullAsync(PullRequest request, CancellationToken cancellationToken)
    {
        if (Names.CheckGroup(request.Group) is { } violation)
        {
            return PullOutcome.Of(BrokerFailure.Of(violation));
        }

        var slice = new RecordSlice();
        var batch = Math.Clamp(request.BatchSize, 1, Limits.ReceiveBatchMax);
        var outcome = await ReadAsync(request with { BatchSize = batch }, slice, cancellationToken);
        return new PullOutcome(outcome.Failure, Decode(slice, request.Topic), outcome.NextOffset);
    }

    /// <summary>Records of a queue; <paramref name="slice"/> is filled with those that match.</summary>
    public async ValueTask<SliceOutcome> ReadAsync(
        PullRequest request, RecordSlice slice, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        slice.Clear();
        if (Names.CheckTopic(request.Topic) is { } violation)
        {
            return SliceOutcome.Of(BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return SliceOutcome.Of(notServing);
        }

        if (calls.Machine.Topics.Find(request.Topic) is not { } topic)
        {
            return SliceOutcome.Of(TopicService.NotFound(request.Topic));
        }

        if (OffsetRules.CheckQueue(topic, request.QueueId) is { } wrongQueue)
        {
            return SliceOutcome.Of(BrokerFailure.Of(wrongQueue));
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
                return SliceOutcome.Of(failure);
            }

            var outcome = Read(grant, request, slice);
            recordsLeft -= request.Filter.NeedsRecords ? grant.Entries.Count : 0;
            if (outcome.Failure is not null
                || slice.Places.Count > 0
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
            BatchSize = request.Filter.NeedsRecords ? ScanGrant.CountMax : request.BatchSize,
            BytesMax = request.BytesMax,
            TakenMax = request.BatchSize,
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
    private async ValueTask<SliceOutcome> OutsideAsync(
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
            return SliceOutcome.Of(failure!.Value);
        }

        var nearest = Math.Clamp(seen.NextOffset, min, max);
        return nearest == seen.NextOffset
            ? new SliceOutcome(null, nearest, max)
            : new SliceOutcome(
                BrokerFailure.Of(OffsetRules.Outside(topic.Name, request.QueueId, seen.NextOffset, min, max)), nearest, max);
    }

    // A record that cannot be read ends the answer before it, so that nobody reads past it unawares.
    private SliceOutcome Read(PullGrant grant, PullRequest request, RecordSlice slice)
    {
        var entries = grant.Entries;
        var bytesLeft = (long)request.BytesMax;
        for (var i = 0; i < entries.Count;)
        {
            if (slice.Places.Count == request.BatchSize
                || bytesLeft <= 0
                || (slice.Places.Count > 0 && request.Filter.MatchesAll && slice.IsCutOff(calls.Records, entries, i)))
            {
                return new SliceOutcome(null, entries[i].Offset, grant.Max);
            }

            // Records that a filter may throw away are looked at one by one.
            var from = slice.Length;
            var runMax = request.Filter.MatchesAll ? (int)Math.Min(bytesLeft, int.MaxValue) : 0;
            var read = slice.Read(calls.Records, entries, i, runMax, out var fault);
            bytesLeft -= slice.Length - from;
            if (read == 0)
            {
                var entry = entries[i];
                BrokerEvents.RecordUnreadable(
                    logger, entry.Position, entry.QueueId, entry.Offset, request.Topic, fault ?? "unknown");
                return slice.Places.Count > 0
                    ? new SliceOutcome(null, entry.Offset, grant.Max)
                    : SliceOutcome.Of(new BrokerFailure(
                        BrokerError.Unavailable,
                        $"the record of offset {entry.Offset} in queue {entry.QueueId} cannot be read at present"));
            }

            if (!request.Filter.MatchesAll && !Matches(request.Filter, slice.Bytes.Span[from..]))
            {
                slice.RemoveLast(entries[i].Size);
            }

            i += read;
        }

        return new SliceOutcome(null, grant.NextOffset, grant.Max);
    }

    private static bool Matches(MessageFilter filter, ReadOnlySpan<byte> bytes)
    {
        RecordView.TryParseUnchecked(bytes, out var record, out _);
        return filter.Matches(record);
    }

    private static List<DeliveredMessage> Decode(RecordSlice slice, string topic)
    {
        var messages = new List<DeliveredMessage>(slice.Places.Count);
        var rest = slice.Bytes;
        foreach (var place in slice.Places)
        {
            RecordView.TryParseUnchecked(rest.Span, out var record, out _);
            messages.Add(new DeliveredMessage(rest[..record.Length], new DeliveryContext(
                topic, place.QueueId, place.Offset, place.Position, place.Attempt, null, TimeSpan.Zero)));
            rest = rest[record.Length..];
        }

        return messages;
    }
}
