using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Timers;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Traces;

/// <summary>Explains to callers what became of one message, on the leader. Any thread; the log is read on the caller's.</summary>
/// <remarks>The present comes from the replicated state, the past from the records of the log behind the message.</remarks>
internal sealed class TraceService(BrokerCalls calls)
{
    /// <summary>Histories that are read at the same time; each may keep a disk busy for seconds.</summary>
    private const int ReadersMax = 2;

    private const long HistoryBytesMax = 1L << 30;
    // Records of one message id that are looked at when none of them is in a queue.
    private const int RecordsMax = 100;

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
            ? await calls.Lookups.FindAsync(KeyOf(query), cancellationToken)
            : await calls.Lookups.ReadAsync(new MessagePlace(query.Topic, query.QueueId, query.Offset), 1, cancellationToken);
        if (found.Failure is { } failure)
        {
            return MessageTrace.Of(failure);
        }

        if (found.Messages is not [var message] || (query.MessageId.Length == 0 && message.QueueOffset != query.Offset))
        {
            return query.MessageId.Length > 0
                ? await ExplainUnplacedAsync(query, found, cancellationToken)
                : await RefusePlaceAsync(query, cancellationToken);
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
            State = MessageState.InQueue,
            Sentence = $"stored at offset {message.QueueOffset} of queue {message.QueueId}{look.Routing}",
            HasOthers = found.HasMore,
            Gaps = found.Gaps,
            Groups = [.. look.Groups.Select(group => Refine(group, history, look.DedupOf.GetValueOrDefault(group.Group), message))],
        };
    }

    private static KeyQuery KeyOf(TraceQuery query) => new(query.Topic, query.MessageId, IsMessageId: true) { CountMax = 1 };

    // It is not in a queue; perhaps its record is in the log all the same.
    private async ValueTask<MessageTrace> ExplainUnplacedAsync(
        TraceQuery query, LookupOutcome found, CancellationToken cancellationToken)
    {
        var records = await calls.Lookups.FindRecordsAsync(KeyOf(query) with { CountMax = RecordsMax }, cancellationToken);
        var (unplaced, logStart) = records.Count == 0 ? (null, default) : await calls.LookAsync<(Unplaced?, LogPosition)>(
            state => state.Topics.Find(query.Topic) is { } topic
                ? (Unplaced.Of(state, topic, records, id => calls.Transactions.Codec.Encode(calls.Log.Group.Value, topic.Id, id)),
                    state.LogStart)
                : (null, default),
            static _ => (null, default),
            cancellationToken);
        if (unplaced is null)
        {
            return MessageTrace.Of(NotFound(query, found)) with { Gaps = found.Gaps };
        }

        var message = LookupService.Decode(
            query.Topic, unplaced.QueueId, -1, unplaced.Record.Position, unplaced.Record.Bytes);
        var (origin, transactionId) = Origin(unplaced.Record);
        var first = LogPosition.Max(calls.Records.StartOf(origin), logStart);
        var reader = new UnplacedHistory(origin, unplaced.Record.Position, transactionId);
        var stored = new TraceEvent(
            TraceEventKind.Stored, message.StoreTimeMicroseconds, unplaced.Record.Position, "", 0, "", 0,
            transactionId != 0 ? "stored as half a message, to be delivered when its transaction is committed"
                : message.DeliverAtMicroseconds is { } due ? $"stored, to be delivered at {HistoryReader.Time(due)}"
                : "stored");
        var from = LogPosition.Max(query.HistoryFrom, first);
        var (end, isWhole, isAll) = await WalkAsync(query, from, (in record, position) => reader.Take(record, position), cancellationToken);
        var recall = reader.Events.FindLast(happened => happened.Kind == TraceEventKind.Recalled);
        var isRecalled = unplaced.State == MessageState.Unknown && recall is not null;
        return new MessageTrace
        {
            Message = message,
            State = isRecalled ? MessageState.Recalled : unplaced.State,
            Sentence = isRecalled
                ? $"never delivered: {recall!.Sentence}, at {HistoryReader.Time(recall.Microseconds)}"
                : unplaced.Sentence + (unplaced.State == MessageState.Unknown ? "; the history that was read does not tell why" : ""),
            HasOthers = records.Any(record => !IsSame(record, unplaced.Record)),
            Gaps = found.Gaps,
            History = query.HistoryFrom > first ? reader.Events : [stored, .. reader.Events],
            HistoryEnd = end,
            IsHistoryComplete = isWhole && isAll && query.HistoryFrom <= first,
        };
    }

    // Copies of one message share the time of their producer and its place; another message has another one.
    private static bool IsSame(in PlacedRecord one, in PlacedRecord other)
    {
        RecordView.TryParseUnchecked(one.Bytes, out var left, out _);
        RecordView.TryParseUnchecked(other.Bytes, out var right, out _);
        return left.BornTime == right.BornTime && left.Body.SequenceEqual(right.Body);
    }

    private static (LogPosition Origin, long TransactionId) Origin(in PlacedRecord placed)
    {
        RecordView.TryParseUnchecked(placed.Bytes, out var record, out _);
        return record.Kind == RecordKind.HalfMessage
            ? (placed.Position, placed.Position.Value - HalfMark.Read(record).Distance)
            : (new LogPosition(TimerCopies.OriginOf(record, placed.Position.Value)), 0);
    }

    private async ValueTask<MessageTrace> RefusePlaceAsync(TraceQuery query, CancellationToken cancellationToken) =>
        MessageTrace.Of(await calls.LookAsync(
            state => LookupService.FindQueue(state, query.Topic, query.QueueId) is { } queue
                ? new BrokerFailure(
                    BrokerError.MessageNotFound,
                    $"the topic '{query.Topic}' has no message at offset {query.Offset} of queue {query.QueueId}: "
                        + (query.Offset.Value < queue.Min
                            ? $"retention or a purge took it, the queue begins at offset {queue.Min} now"
                            : $"it was never stored, the next message gets offset {queue.Max}"))
                : LookupService.NoQueue(state, query.Topic, query.QueueId),
            static reason => reason,
            cancellationToken));

    private static BrokerFailure? Check(TraceQuery query) =>
        query.Group is not null && Names.CheckGroup(query.Group) is { } violation ? BrokerFailure.Of(violation)
        : query.HistoryBytesMax is >= 0 and <= HistoryBytesMax ? null
        : new BrokerFailure(
            BrokerError.InvalidArgument,
            $"a history of {query.HistoryBytesMax} bytes is asked for; 0 to {HistoryBytesMax} are allowed",
            Rule: BrokenRule.Batch);

    private static BrokerFailure NotFound(TraceQuery query, LookupOutcome found) => new(
        BrokerError.MessageNotFound,
        found.Gaps.Count == 0
            ? $"the topic '{query.Topic}' has no message with the id '{Names.Printable(query.MessageId)}': it was never stored there, or "
                + "retention took it with the log that held it"
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
        var obstacles = new ObstacleFinder(calls.Machine, topic, message, record, NowMicroseconds);
        var standings = new GroupStandings(calls.Machine, calls.Options, topic, message, obstacles);
        foreach (var candidate in state.Groups.All.OrderBy(candidate => candidate.View.DisplayName, StringComparer.Ordinal))
        {
            var subscription = candidate.Subscriptions.GetValueOrDefault(topic.Id);
            var isNamed = candidate.View.Name == group && (candidate.View.Member is not null || candidate.Members.Count == 0);
            if (isNamed || (group is null && subscription is not null))
            {
                standing.GroupNames.Add(candidate.View.Id, candidate.View.DisplayName);
                standing.Groups.Add(standings.Describe(candidate));
                if (candidate.View.Settings.AckMode == AckMode.AtMostOnce)
                {
                    standing.OnceOnly.Add(candidate.View.Id);
                }

                standing.DedupOf[candidate.View.DisplayName] = candidate.View.Settings.Dedup;
            }
        }

        return standing;
    }

    // The state knows that a message is finished; only the history knows how.
    private static GroupTrace Refine(GroupTrace trace, MessageTrace history, DedupSettings? dedup, DeliveredMessage message)
    {
        if (trace.State != TraceState.Finished)
        {
            return trace;
        }

        var events = history.History.Where(happened => happened.Group.Length == 0 || happened.Group == trace.Group).ToList();
        var attempts = Math.Max(trace.Attempts, events.Select(happened => happened.Attempt).DefaultIfEmpty(0).Max());
        var last = events.FindLast(happened => happened.Kind is TraceEventKind.Acknowledged or TraceEventKind.FilteredOut
            or TraceEventKind.DeadLettered or TraceEventKind.GivenUp or TraceEventKind.Deduplicated or TraceEventKind.LivedTooLong
            or TraceEventKind.SetBehind || IsFinal(happened));
        var (state, sentence) = last?.Kind switch
        {
            TraceEventKind.Acknowledged => (TraceState.Acknowledged,
                $"acknowledged at {HistoryReader.Time(last.Microseconds)} after {TraceNames.Count(last.Attempt, "delivery", "deliveries")}"),
            TraceEventKind.FilteredOut => (TraceState.FilteredOut,
                $"never delivered: the filter of the group left it out at {HistoryReader.Time(last.Microseconds)}; compare the tag of the "
                + "message with the subscription of the group's consumers"),
            TraceEventKind.DeadLettered => (TraceState.DeadLettered,
                $"{last.Sentence} at {HistoryReader.Time(last.Microseconds)}, after {TraceNames.Count(attempts, "delivery", "deliveries")}: see "
                + $"'dledger dlq show {trace.Group}'"),
            TraceEventKind.Deduplicated => (TraceState.Deduplicated,
                $"not delivered: at {HistoryReader.Time(last.Microseconds)} the group had processed another message with "
                + $"{ObstacleFinder.NameKey(dedup ?? DedupSettings.None, message)}, within the time and number that it remembers; see "
                + "'dledger group describe'"),
            TraceEventKind.LivedTooLong => (TraceState.LivedTooLong,
                $"{(attempts == 0 ? "never delivered" : "not delivered again")}: at {HistoryReader.Time(last.Microseconds)} its time to live "
                + $"({TimeToLive.Property}) was over"),
            TraceEventKind.SetBehind => (TraceState.PassedBy,
                $"{(attempts == 0 ? "never delivered" : $"not finished after {TraceNames.Count(attempts, "delivery", "deliveries")}")}: "
                + $"{last.Sentence} at {HistoryReader.Time(last.Microseconds)}"),
            TraceEventKind.Delivered => (TraceState.DeliveredOnce,
                $"{last.Sentence}, at {HistoryReader.Time(last.Microseconds)}"),
            TraceEventKind.GivenUp => (TraceState.GivenUp,
                $"not finished when {last.Sentence} at {HistoryReader.Time(last.Microseconds)}"),
            _ => history.IsHistoryComplete && attempts == 0
                ? (TraceState.PassedBy, "never delivered: the group began behind it")
                : (TraceState.Finished, "finished for the group; the history that was read does not tell how"),
        };
        return trace with { State = state, Sentence = sentence, Attempts = attempts };
    }

    // At most once: nothing ends such a delivery but itself.
    private static bool IsFinal(TraceEvent happened) => happened is { Kind: TraceEventKind.Delivered, UntilMicroseconds: 0 };

    private async ValueTask<MessageTrace> ReadHistoryAsync(
        TraceQuery query, DeliveredMessage message, Standing standing, CancellationToken cancellationToken)
    {
        var stored = new TraceEvent(
            TraceEventKind.Stored, message.StoreTimeMicroseconds, message.Position, "", 0, "", 0,
            $"stored at offset {message.QueueOffset} of queue {message.QueueId}{standing.Routing}");
        var from = LogPosition.Max(query.HistoryFrom, calls.Records.StartOf(message.Position));
        var reader = new HistoryReader(
            standing.TopicId,
            message.QueueId,
            message.QueueOffset.Value,
            message.Position,
            standing.GroupNames,
            standing.OnceOnly,
            hash => TraceNames.OfClient(calls.Machine.Clients, hash));
        var (end, isWhole, isAll) = await WalkAsync(query, from, (in record, position) => reader.Take(record, position), cancellationToken);
        if (isAll)
        {
            reader.EndAt(standing.LogTime);
        }

        return new MessageTrace
        {
            History = query.HistoryFrom > message.Position ? reader.Events : [stored, .. reader.Events],
            HistoryEnd = end,
            IsHistoryComplete = isWhole && isAll && query.HistoryFrom <= message.Position,
        };
    }

    // Up to where it came, whether all of that could be read, and whether that is all there is.
    private async ValueTask<(LogPosition End, bool IsWhole, bool IsAll)> WalkAsync(
        TraceQuery query, LogPosition from, RecordTaker take, CancellationToken cancellationToken)
    {
        if (query.HistoryBytesMax == 0)
        {
            return (from, false, false);
        }

        if (Interlocked.Increment(ref _readerCount) > ReadersMax)
        {
            Interlocked.Decrement(ref _readerCount);
            return (from, false, false);
        }

        try
        {
            return await WalkAsync(from, query.HistoryBytesMax, take, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _readerCount);
        }
    }

    private async ValueTask<(LogPosition End, bool IsWhole, bool IsAll)> WalkAsync(
        LogPosition from, long bytesMax, RecordTaker take, CancellationToken cancellationToken)
    {
        var limit = calls.Log.Status.Applied;
        var end = LogPosition.Min(limit, from + bytesMax);
        var walk = new LogWalk(calls.Log, from);
        var begun = calls.Machine.Time.GetTimestamp();
        var isWhole = true;
        for (var turnEnd = from + BytesPerTurn; ; turnEnd = walk.Position + BytesPerTurn)
        {
            while (walk.TryNext(LogPosition.Min(end, turnEnd), out var record, out var position))
            {
                take(record, position);
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

        return (walk.Position, isWhole, walk.Position >= limit);
    }

    private long NowMicroseconds =>
        (calls.Machine.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private delegate void RecordTaker(in RecordView record, LogPosition position);

    /// <summary>What the state says.</summary>
    private sealed class Standing(BrokerFailure? failure)
    {
        public BrokerFailure? Failure => failure;

        public int TopicId { get; init; }

        public long LogTime { get; init; }

        /// <summary>Where else the message stands; begins with a comma, empty when nowhere.</summary>
        public string Routing { get; init; } = "";

        public SortedDictionary<int, string> GroupNames { get; } = [];

        /// <summary>Those that are given messages at most once.</summary>
        public HashSet<int> OnceOnly { get; } = [];

        /// <summary>By the names of groups for people.</summary>
        public Dictionary<string, DedupSettings> DedupOf { get; } = [];

        public List<GroupTrace> Groups { get; } = [];
    }
}
