using System.Globalization;
using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Timers;

/// <summary>What senders and operators do with pending messages. Any thread; records are read on the caller's.</summary>
internal sealed class TimerService(BrokerCalls calls)
{
    /// <summary>Most messages of a page.</summary>
    public const int PageMax = 1_000;

    /// <summary>Most pending messages whose records one call reads; a selection that finds none there goes on with the next page.</summary>
    private const int ScanMax = 20_000;

    // What one look at the state takes; the apply loop has other work as well.
    private const int LookMax = 1_000;

    private RecallCodec? _codec;

    private RecallCodec Codec => _codec ??= new RecallCodec(calls.Log.ClusterId);

    /// <summary>The handle of a message that waits.</summary>
    public string HandleOf(int topicId, long deliverAt, LogPosition position, string messageId) => Codec.Encode(
        new RecallHandle(calls.Log.Group.Value, topicId, new TimerKey(TimerKey.TickOf(deliverAt), position.Value), messageId));

    /// <summary>Takes a message back.</summary>
    public async ValueTask<RecallOutcome> RecallAsync(string topic, string handle, CancellationToken cancellationToken)
    {
        var (found, refused) = Resolve(topic);
        if (refused is { } reason)
        {
            return RecallOutcome.Of(reason);
        }

        if (!found!.AcceptedTypes.Contains(MessageType.Delay))
        {
            return RecallOutcome.Of(new BrokerFailure(
                BrokerError.MessageTypeMismatch,
                $"the topic '{found.Name}' accepts {found.AcceptedTypes} messages, so there is no Delay one to recall"));
        }

        if (!Codec.TryDecode(handle, out var recall)
            || recall.RaftGroup != calls.Log.Group.Value
            || recall.TopicId != found.Id)
        {
            return RecallOutcome.Of(new BrokerFailure(
                BrokerError.InvalidArgument, "the field 'recall_handle' is not a recall handle of this cluster and topic"));
        }

        while (true)
        {
            var (key, failure) = await FindAsync(recall, cancellationToken);
            if (failure is { } problem)
            {
                return RecallOutcome.Of(problem);
            }

            if (key is not { } waiting)
            {
                return RecallOutcome.Of(NotWaiting(recall.MessageId));
            }

            var proposed = ChangeAsync(
                RecordKind.TimerCancel, new TimerCancelCommand([waiting]).Encode(), cancellationToken);
            if (calls.Options.Defect == SeededDefect.RecallBeforeCommit)
            {
                return new RecallOutcome(recall.MessageId, null);
            }

            var change = await proposed;
            if (change.Failure is { } failed)
            {
                return RecallOutcome.Of(failed);
            }

            if (change.Count > 0)
            {
                return new RecallOutcome(recall.MessageId, null);
            }

            // It left its place in between: delivered, taken back, or moved, and then it waits elsewhere.
        }
    }

    /// <summary>A page of what a selection finds.</summary>
    public ValueTask<PendingPage> ListAsync(
        PendingSelection selection, int countMax, string? page, CancellationToken cancellationToken) =>
        ScanAsync(selection, countMax, page, cancellationToken);

    /// <summary>Takes back what a page finds.</summary>
    public async ValueTask<PendingPage> CancelAsync(
        PendingSelection selection, int countMax, string? page, CancellationToken cancellationToken)
    {
        var found = await ScanAsync(selection, countMax, page, cancellationToken);
        if (found.Failure is not null || found.Messages.Count == 0)
        {
            return found;
        }

        var command = new TimerCancelCommand([.. found.Messages.Select(static message => message.Key)]);
        var change = await ChangeAsync(RecordKind.TimerCancel, command.Encode(), cancellationToken);
        return found with { ChangedCount = change.Count, Failure = change.Failure };
    }

    /// <summary>Gives what a page finds another delivery time; one in the past delivers at once.</summary>
    public async ValueTask<PendingPage> MoveAsync(
        PendingSelection selection, long deliverAt, int countMax, string? page, CancellationToken cancellationToken)
    {
        if (MessageRules.CheckDeliveryTime(deliverAt, calls.Log.LogTimeNow) is { } violation)
        {
            return PendingPage.Of(BrokerFailure.Of(violation));
        }

        var found = await ScanAsync(selection, countMax, page, cancellationToken);
        if (found.Failure is not null || found.Messages.Count == 0)
        {
            return found;
        }

        // What was moved behind the pages to come is found once more there.
        var tick = TimerKey.TickOf(Math.Max(0, deliverAt));
        var others = found.Messages.Where(message => message.Key.Tick != tick).ToList();
        if (others.Count == 0)
        {
            return found;
        }

        var command = new TimerMoveCommand(
            [.. others.Select(message => new TimerMove(message.Key, message.Origin, tick))]);
        var change = await ChangeAsync(RecordKind.TimerMove, command.Encode(), cancellationToken);
        return found with { ChangedCount = change.Count, Failure = change.Failure };
    }

    private static BrokerFailure NotWaiting(string messageId) => new(
        BrokerError.MessageNotFound,
        $"the message '{Names.Printable(messageId)}' does not wait any more: it was delivered, recalled, or went with its topic");

    private ValueTask<TimerChange> ChangeAsync(RecordKind kind, byte[] body, CancellationToken cancellationToken) =>
        calls.ProposeRecordsAsync(
            Proposals.ControlRecord.Encode(kind, body), 1, TimerChange.Of, cancellationToken);

    private (TopicView? Topic, BrokerFailure? Failure) Resolve(string topic)
    {
        if (Names.CheckTopic(topic) is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return (null, notServing);
        }

        return calls.Machine.Topics.Find(topic) is { } found ? (found, null) : (null, TopicService.NotFound(topic));
    }

    // A message that was copied forward is not where its handle says, but it keeps its time, and knows where it lay first.
    private async ValueTask<(TimerKey? Key, BrokerFailure? Failure)> FindAsync(
        RecallHandle recall, CancellationToken cancellationToken)
    {
        var after = new TimerKey(recall.Key.Tick, long.MinValue);
        while (true)
        {
            var from = after;
            var (key, entries, failure) = await calls.LookAsync(
                state =>
                {
                    // Asked each time: it may be moved while the pages are read.
                    if (state.Timers.Moved.Find(recall.Key.Position) is { } moved)
                    {
                        return (moved, [], null);
                    }

                    if (state.Timers.TryFind(recall.Key, out _))
                    {
                        return (recall.Key, [], null);
                    }

                    var found = new List<TimerEntry>();
                    state.Timers.Collect(from, recall.Key.Tick, LookMax, found);
                    return ((TimerKey?)null, found, (BrokerFailure?)null);
                },
                static reason => (null, [], reason),
                cancellationToken);
            if (key is not null || failure is not null || entries.Count == 0)
            {
                return (key, failure);
            }

            foreach (var entry in entries.Where(entry => entry.TopicId == recall.TopicId))
            {
                if (ReadRecord(entry) is { } bytes
                    && RecordView.TryParseUnchecked(bytes, out var record, out _)
                    && TimerCopies.OriginOf(record, entry.Key.Position) == recall.Key.Position)
                {
                    return (entry.Key, null);
                }
            }

            after = entries[^1].Key;
        }
    }

    private async ValueTask<PendingPage> ScanAsync(
        PendingSelection selection, int countMax, string? page, CancellationToken cancellationToken)
    {
        if (Check(selection, countMax, page, out var after) is { } invalid)
        {
            return PendingPage.Of(invalid);
        }

        var (topic, refused) = Resolve(selection.Topic);
        if (refused is { } reason)
        {
            return PendingPage.Of(reason);
        }

        // Both ends in ticks: the first tick that is not before the time.
        var firstTick = TimerKey.TickOf(selection.FromMicroseconds ?? 0);
        var lastTick = selection.UntilMicroseconds is { } until ? TimerKey.TickOf(until) - 1 : long.MaxValue;
        after = after ?? new TimerKey(firstTick, long.MinValue);
        var messages = new List<PendingMessage>();
        var scanned = 0;
        while (true)
        {
            var from = after.Value;
            var (entries, pending, isOver, failure) = await calls.LookAsync(
                state =>
                {
                    var found = new List<TimerEntry>();
                    state.Timers.Collect(from, lastTick, LookMax, found);
                    return (found, state.Timers.CountOf(topic!.Id), found.Count < LookMax, (BrokerFailure?)null);
                },
                static reason => ([], 0L, true, reason),
                cancellationToken);
            if (failure is { } problem)
            {
                return PendingPage.Of(problem);
            }

            foreach (var entry in entries)
            {
                after = entry.Key;
                scanned++;
                if (entry.TopicId == topic!.Id && Describe(entry, topic) is { } message && Matches(message, selection))
                {
                    messages.Add(message);
                    if (messages.Count == countMax)
                    {
                        return new PendingPage(messages, PageOf(entry.Key), pending);
                    }
                }
            }

            if (isOver || scanned >= ScanMax)
            {
                return new PendingPage(messages, isOver ? null : PageOf(after.Value), pending);
            }
        }
    }

    private static BrokerFailure? Check(PendingSelection selection, int countMax, string? page, out TimerKey? after)
    {
        after = null;
        if (countMax is < 1 or > PageMax)
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument, $"a page has 1 to {PageMax} messages; {countMax} are asked for");
        }

        if (selection.FromMicroseconds is < 0 || selection.UntilMicroseconds < (selection.FromMicroseconds ?? 0))
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument, "the delivery times asked for end before they begin, or begin before 1970");
        }

        if (page is null)
        {
            return null;
        }

        var parts = page.Split('.');
        if (parts.Length != 2
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var tick)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var position))
        {
            return new BrokerFailure(BrokerError.InvalidArgument, "the page is not one that an earlier answer named");
        }

        after = new TimerKey(tick, position);
        return null;
    }

    private static string PageOf(TimerKey key) =>
        string.Create(CultureInfo.InvariantCulture, $"{key.Tick}.{key.Position}");

    private static bool Matches(PendingMessage message, PendingSelection selection) =>
        (selection.MessageId is null || message.MessageId == selection.MessageId)
        && (selection.MessageKey is null || message.Keys.Contains(selection.MessageKey));

    private PendingMessage Describe(in TimerEntry entry, TopicView topic)
    {
        var position = new LogPosition(entry.Key.Position);
        if (ReadRecord(entry) is not { } bytes || !RecordView.TryParseUnchecked(bytes, out var record, out _))
        {
            return new PendingMessage
            {
                Topic = topic.Name,
                MessageId = "",
                Keys = [],
                DeliverAtMicroseconds = entry.Key.DueAt,
                StoreTimeMicroseconds = 0,
                BodyBytes = 0,
                RecallHandle = HandleOf(topic.Id, entry.Key.DueAt, position, ""),
                IsUnreadable = true,
                Key = entry.Key,
                Origin = entry.Key.Position,
            };
        }

        var messageId = Encoding.UTF8.GetString(record.Key);
        var isMoved = record.DeliverAt is not { } sent || TimerKey.TickOf(sent) != entry.Key.Tick;
        return new PendingMessage
        {
            Topic = topic.Name,
            MessageId = messageId,
            Keys = ReadKeys(record.Properties),
            Tag = MessageDecoder.ReadTag(record.Properties),
            DeliverAtMicroseconds = isMoved ? entry.Key.DueAt : record.DeliverAt!.Value,
            StoreTimeMicroseconds = record.StoreTime,
            BodyBytes = record.Body.Length,
            RecallHandle = HandleOf(topic.Id, entry.Key.DueAt, position, messageId),
            Key = entry.Key,
            Origin = TimerCopies.OriginOf(record, entry.Key.Position),
        };
    }

    private static List<string> ReadKeys(ReadOnlySpan<byte> properties)
    {
        var keys = new List<string>();
        var entries = new PropertyEnumerator(properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Key)
            {
                keys.Add(Encoding.UTF8.GetString(entries.Content));
            }
        }

        return keys;
    }

    private byte[]? ReadRecord(in TimerEntry entry) => calls.Records.Read(new LogPosition(entry.Key.Position), entry.Size);
}
