using System.Globalization;
using Dledger.Broker.Groups;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;

namespace Dledger.Broker.Traces;

/// <summary>Explains to callers what became of one message, on the leader. Any thread; the log is read on the caller's.</summary>
/// <remarks>The present comes from the replicated state, the past from the records of the log behind the message.</remarks>
internal sealed class TraceService(BrokerCalls calls)
{
    /// <summary>Histories that are read at the same time; each may keep a disk busy for seconds.</summary>
    private const int ReadersMax = 2;

    private const long HistoryBytesMax = 1L << 30;
    private const long BytesPerTurn = 4L << 20;

    private static readonly TimeSpan HistoryTimeMax = TimeSpan.FromSeconds(2);

    private int _readerCount;

    public async ValueTask<MessageTrace> ExplainAsync(TraceQuery query, CancellationToken cancellationToken)
    {
        if (Check(query) is { } refused)
        {
            return MessageTrace.Of(refused);
        }

        var found = query.MessageId.Length > 0
            ? await calls.Lookups.FindAsync(
                new KeyQuery(query.Topic, query.MessageId, IsMessageId: true) { CountMax = 1 }, cancellationToken)
            : await calls.Lookups.ReadAsync(new MessagePlace(query.Topic, query.QueueId, query.Offset), 1, cancellationToken);
        if (found.Failure is { } failure)
        {
            return MessageTrace.Of(failure);
        }

        if (found.Messages is not [var message] || (query.MessageId.Length == 0 && message.QueueOffset != query.Offset))
        {
            return MessageTrace.Of(NotFound(query, found)) with { Gaps = found.Gaps };
        }

        var record = calls.Records.Read(message.Position);
        var look = await calls.LookAsync(
            state => Look(state, message, record, query.Group), static reason => new Standing(reason), cancellationToken);
        if (look.Failure is { } problem)
        {
            return MessageTrace.Of(problem);
        }

        var history = await ReadHistoryAsync(query, message, look, cancellationToken);
        return history with
        {
            Message = message,
            HasOthers = found.HasMore,
            Gaps = found.Gaps,
            Groups = [.. look.Groups.Select(group => Refine(group, history))],
        };
    }

    private static BrokerFailure? Check(TraceQuery query) =>
        query.Group is not null && Names.CheckGroup(query.Group) is { } violation ? BrokerFailure.Of(violation)
        : query.HistoryBytesMax is >= 0 and <= HistoryBytesMax ? null
        : new BrokerFailure(
            BrokerError.InvalidArgument,
            $"a history of {query.HistoryBytesMax} bytes is asked for; 0 to {HistoryBytesMax} are allowed",
            Rule: BrokenRule.Batch);

    private static BrokerFailure NotFound(TraceQuery query, LookupOutcome found) => new(
        BrokerError.MessageNotFound,
        query.MessageId.Length == 0
            ? $"the topic '{query.Topic}' has no message at offset {query.Offset} of queue {query.QueueId}: it was never stored, or "
                + "retention took it"
            : found.Gaps.Count == 0
                ? $"the topic '{query.Topic}' has no message with the id '{Names.Printable(query.MessageId)}' in a queue: it was never "
                    + "stored there, retention took it, or it is not visible yet"
                : $"no message with the id '{Names.Printable(query.MessageId)}' was found in the topic '{query.Topic}', but the key index "
                    + $"of this node is not complete: it lacks log positions {found.Gaps[0].Start} to {found.Gaps[^1].End}");

    private Standing Look(BrokerState state, DeliveredMessage message, byte[]? record, string? group)
    {
        if (state.Topics.Find(message.Topic) is not { } topic)
        {
            return new Standing(new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{message.Topic}' does not exist"));
        }

        if (group is not null && state.Groups.Find(group) is null)
        {
            return new Standing(new BrokerFailure(BrokerError.GroupNotFound, $"the consumer group '{group}' does not exist"));
        }

        var standing = new Standing(null)
        {
            TopicId = topic.Id,
            LogTime = state.LogTime,
            Routing = record is null ? "" : RoutedText.Describe(state, topic, record, message.Position),
        };
        foreach (var candidate in state.Groups.All.OrderBy(candidate => candidate.View.DisplayName, StringComparer.Ordinal))
        {
            var subscription = candidate.Subscriptions.GetValueOrDefault(topic.Id);
            var isNamed = candidate.View.Name == group && (candidate.View.Member is not null || candidate.Members.Count == 0);
            if (isNamed || (group is null && subscription is not null))
            {
                standing.GroupNames.Add(candidate.View.Id, candidate.View.DisplayName);
                standing.Groups.Add(Describe(candidate.View, subscription, message));
            }
        }

        return standing;
    }

    private GroupTrace Describe(GroupView group, Subscription? subscription, DeliveredMessage message)
    {
        var trace = new GroupTrace(group.DisplayName, TraceState.NeverRead, 0, 0, "", 0, "");
        if (subscription is null)
        {
            return trace with { Sentence = "the group has never read this topic: start a consumer that subscribes to it" };
        }

        var cursor = subscription.Cursors[message.QueueId];
        var offset = message.QueueOffset.Value;
        trace = trace with { MessagesAhead = CountAhead(cursor, offset) };
        if (offset < cursor.Next && !cursor.Contains(offset))
        {
            return trace with { State = TraceState.Finished, Sentence = "finished for the group" };
        }

        if (offset >= cursor.Next)
        {
            return offset == cursor.Next && !group.Fifo
                ? Available(trace, 0)
                : trace with
                {
                    State = TraceState.NotReached,
                    Sentence = $"not reached yet: {Count(offset - cursor.Next, "message")} of its queue will be looked at before it, "
                        + $"{Count(cursor.LeasedCount, "message")} of the queue are in flight",
                };
        }

        return Describe(trace, group, cursor, offset);
    }

    private GroupTrace Describe(GroupTrace trace, GroupView group, QueueCursor cursor, long offset)
    {
        ref readonly var delivery = ref cursor.At(offset);
        trace = trace with { Attempts = delivery.Attempts };
        var attempt = $"attempt {delivery.Attempts} of {group.MaxAttempts}";
        switch (delivery.State)
        {
            case DeliveryState.Done:
                return trace with { State = TraceState.Finished, Sentence = "finished for the group" };
            case DeliveryState.Obliged:
                return trace with
                {
                    State = TraceState.WaitsForDeadLetter,
                    Sentence = $"out of attempts ({delivery.Attempts}): its copy in '{Names.DeadLetterTopic(group.Name)}' is being made",
                };
            case DeliveryState.Parked:
                return trace with
                {
                    State = TraceState.Parked,
                    Sentence = $"out of attempts ({delivery.Attempts}) and set aside since "
                        + $"{HistoryReader.Time(cursor.ParkedSince.GetValueOrDefault(offset))}, until an operator releases it or gives it up",
                };
            case DeliveryState.Resting when delivery.Lease is { } rest:
                return trace with
                {
                    State = TraceState.WaitsForRetry,
                    UntilMicroseconds = rest.Deadline,
                    Sentence = $"waits for its next delivery at {HistoryReader.Time(rest.Deadline)}, after {attempt}, as the back-off of "
                        + "the group says",
                };
            case DeliveryState.Leased when delivery.Lease is { } lease:
                var client = NameOf(lease.ClientHash);
                return lease.IsOrigin
                    ? trace with
                    {
                        State = TraceState.InFlight,
                        Client = client,
                        UntilMicroseconds = lease.Deadline,
                        Sentence = $"in flight with client {client} in {attempt}, until {HistoryReader.Time(lease.Deadline)}"
                            + (lease.AutoRenew ? " and longer while that client lives" : ""),
                    }
                    : trace with
                    {
                        State = TraceState.WaitsForRetry,
                        Client = client,
                        UntilMicroseconds = lease.Deadline,
                        Sentence = $"waits for its next delivery at {HistoryReader.Time(lease.Deadline)}, after {attempt}, as client "
                            + $"{client} asked",
                    };
            default:
                return cursor.Ready.Contains(offset)
                    ? Available(trace, delivery.Attempts)
                    : trace with
                    {
                        State = TraceState.HeldBack,
                        Sentence = "an earlier message of its message group has to be over first"
                            + (cursor.LaneOf(delivery.GroupHash) is { Head: >= 0 } lane
                                ? string.Create(CultureInfo.InvariantCulture, $": explain the one at offset {lane.Head}")
                                : ""),
                    };
        }
    }

    // Those that are not finished, as far as they were looked at, and all that were not.
    private static long CountAhead(QueueCursor cursor, long offset)
    {
        var count = cursor.Aside.LongCount(aside => aside < offset) + Math.Max(0, offset - cursor.Next);
        for (var before = cursor.Commit; before < Math.Min(offset, cursor.Next); before++)
        {
            count += cursor.At(before).State == DeliveryState.Done ? 0 : 1;
        }

        return count;
    }

    private static GroupTrace Available(GroupTrace trace, int attempts) => trace with
    {
        State = TraceState.Available,
        Sentence = (attempts == 0 ? "not delivered yet" : $"visible again after {Count(attempts, "delivery", "deliveries")}")
            + ": the next consumer of the group that asks for this queue, and whose filter fits, gets it",
    };

    private static string Count(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? $"{one}s")}");

    // The state knows that a message is finished; only the history knows how.
    private static GroupTrace Refine(GroupTrace trace, MessageTrace history)
    {
        if (trace.State != TraceState.Finished)
        {
            return trace;
        }

        var events = history.History.Where(happened => happened.Group.Length == 0 || happened.Group == trace.Group).ToList();
        var attempts = Math.Max(trace.Attempts, events.Select(happened => happened.Attempt).DefaultIfEmpty(0).Max());
        var last = events.FindLast(happened => happened.Kind is TraceEventKind.Acknowledged or TraceEventKind.FilteredOut
            or TraceEventKind.DeadLettered or TraceEventKind.GivenUp or TraceEventKind.Deduplicated);
        var (state, sentence) = last?.Kind switch
        {
            TraceEventKind.Acknowledged => (TraceState.Acknowledged,
                $"acknowledged at {HistoryReader.Time(last.Microseconds)} after {Count(last.Attempt, "delivery", "deliveries")}"),
            TraceEventKind.FilteredOut => (TraceState.FilteredOut,
                $"never delivered: the filter of the group left it out at {HistoryReader.Time(last.Microseconds)}; compare the tag of the "
                + "message with the subscription of the group's consumers"),
            TraceEventKind.DeadLettered => (TraceState.DeadLettered,
                $"{last.Sentence} at {HistoryReader.Time(last.Microseconds)}, after {Count(attempts, "delivery", "deliveries")}: see "
                + $"'dledger dlq show {trace.Group}'"),
            TraceEventKind.Deduplicated => (TraceState.Deduplicated,
                $"not delivered: at {HistoryReader.Time(last.Microseconds)} the group had processed another message of its key, within the "
                + "time and number that it remembers; see 'dledger group describe'"),
            TraceEventKind.GivenUp => (TraceState.GivenUp,
                $"not finished when {last.Sentence} at {HistoryReader.Time(last.Microseconds)}"),
            _ => history.IsHistoryComplete
                ? (TraceState.PassedBy, "never delivered: the group began, or was set, behind it")
                : (TraceState.Finished, "finished for the group; the history that was read does not tell how"),
        };
        return trace with { State = state, Sentence = sentence, Attempts = attempts };
    }

    private async ValueTask<MessageTrace> ReadHistoryAsync(
        TraceQuery query, DeliveredMessage message, Standing standing, CancellationToken cancellationToken)
    {
        var stored = new TraceEvent(
            TraceEventKind.Stored, message.StoreTimeMicroseconds, message.Position, "", 0, "", 0,
            $"stored at offset {message.QueueOffset} of queue {message.QueueId}{standing.Routing}");
        var from = LogPosition.Max(query.HistoryFrom, message.Position);
        if (query.HistoryBytesMax == 0)
        {
            return new MessageTrace { History = [stored], HistoryEnd = from };
        }

        if (Interlocked.Increment(ref _readerCount) > ReadersMax)
        {
            Interlocked.Decrement(ref _readerCount);
            return new MessageTrace { History = [stored], HistoryEnd = from };
        }

        try
        {
            return await ReadHistoryAsync(query, message, standing, stored, from, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _readerCount);
        }
    }

    private async ValueTask<MessageTrace> ReadHistoryAsync(
        TraceQuery query,
        DeliveredMessage message,
        Standing standing,
        TraceEvent stored,
        LogPosition from,
        CancellationToken cancellationToken)
    {
        var limit = calls.Log.Status.Applied;
        var end = LogPosition.Min(limit, from + query.HistoryBytesMax);
        var reader = new HistoryReader(
            standing.TopicId, message.QueueId, message.QueueOffset.Value, message.Position, standing.GroupNames, NameOf);
        var walk = new LogWalk(calls.Log, from);
        var begun = calls.Machine.Time.GetTimestamp();
        var isWhole = true;
        for (var turnEnd = from + BytesPerTurn; ; turnEnd = walk.Position + BytesPerTurn)
        {
            while (walk.TryNext(LogPosition.Min(end, turnEnd), out var record, out var position))
            {
                reader.Take(record, position);
            }

            if (walk.Fault is not null)
            {
                calls.Log.ReportUnreadable(walk.Position);
                isWhole = false;
                if (!walk.TrySkipFrame())
                {
                    break;
                }

                continue;
            }

            var isOver = walk.Position < turnEnd || walk.Position >= end;
            if (isOver || calls.Machine.Time.GetElapsedTime(begun) >= HistoryTimeMax)
            {
                break;
            }

            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        if (walk.Position >= limit)
        {
            reader.EndAt(standing.LogTime);
        }

        return new MessageTrace
        {
            History = query.HistoryFrom > message.Position ? reader.Events : [stored, .. reader.Events],
            HistoryEnd = walk.Position,
            IsHistoryComplete = isWhole && walk.Position >= limit && query.HistoryFrom <= message.Position,
        };
    }

    private string NameOf(long clientHash) => calls.Machine.Clients.NameOf(clientHash) is { } name
        ? $"'{Names.Printable(name)}'"
        : string.Create(CultureInfo.InvariantCulture, $"#{clientHash:x16}");

    /// <summary>What the state says.</summary>
    private sealed class Standing(BrokerFailure? failure)
    {
        public BrokerFailure? Failure => failure;

        public int TopicId { get; init; }

        public long LogTime { get; init; }

        /// <summary>Where else the message stands; begins with a comma, empty when nowhere.</summary>
        public string Routing { get; init; } = "";

        public SortedDictionary<int, string> GroupNames { get; } = [];

        public List<GroupTrace> Groups { get; } = [];
    }
}
