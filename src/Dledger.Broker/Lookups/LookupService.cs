using System.Text;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Keys;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lookups;

/// <summary>Finds stored messages for callers, on the leader. Any thread; records are read on the caller's.</summary>
/// <remarks>
/// The index gives positions, the records there are compared with what was asked for, and the queue's index says at which offset a record
/// stands, and so whether it ever took effect.
/// </remarks>
internal sealed class LookupService(BrokerCalls calls)
{
    /// <summary>Records that are read for one question at most.</summary>
    private const int CandidatesMax = 10_000;

    /// <summary>Bytes of records that one read of a queue gives at most.</summary>
    private const int ReadBytesMax = 4 << 20;

    private const int CountMax = 1_000;

    /// <summary>Messages by id or business key.</summary>
    public async ValueTask<LookupOutcome> FindAsync(KeyQuery query, CancellationToken cancellationToken)
    {
        var search = await SearchAsync(query, cancellationToken);
        if (search.Failure is { } failure)
        {
            return LookupOutcome.Of(failure);
        }

        var messages = await PlaceAsync(query.Topic, search.TopicId, search.Records, cancellationToken);
        return new LookupOutcome(
            null,
            [.. messages.Take(query.CountMax)],
            search.HasMore || messages.Count > query.CountMax,
            search.Gaps);
    }

    /// <summary>The newest records with a message id, whether they stand in a queue or not; empty when none is found.</summary>
    public async ValueTask<IReadOnlyList<PlacedRecord>> FindRecordsAsync(KeyQuery query, CancellationToken cancellationToken)
    {
        var search = await SearchAsync(query, cancellationToken);
        return [.. search.Records.Select(record => new PlacedRecord(-1, record.Position, record.Bytes))];
    }

    /// <summary>Messages of a queue from an offset on, as far as they are stored.</summary>
    public async ValueTask<LookupOutcome> ReadAsync(MessagePlace place, int countMax, CancellationToken cancellationToken)
    {
        var (records, failure) = await ReadRecordsAsync(place, countMax, cancellationToken);
        return failure is { } reason
            ? LookupOutcome.Of(reason)
            : LookupOutcome.Of(records.ConvertAll(record =>
                Decode(place.Topic, place.QueueId, record.Offset, record.Position, record.Bytes)));
    }

    /// <summary>Verified records of a queue from an offset on, some megabytes at most.</summary>
    public async ValueTask<(List<PlacedRecord> Records, BrokerFailure? Failure)> ReadRecordsAsync(
        MessagePlace place, int countMax, CancellationToken cancellationToken)
    {
        if ((Names.CheckTopic(place.Topic) is { } violation ? BrokerFailure.Of(violation) : CheckCount(countMax)) is { } failure)
        {
            return ([], failure);
        }

        var (first, entries, refused) = await calls.LookAsync(
            state => ReadEntries(state, place, countMax), static reason => (0L, [], reason), cancellationToken);
        var records = new List<PlacedRecord>(entries.Length);
        long bytesRead = 0;
        for (var i = 0; i < entries.Length && (i == 0 || bytesRead < ReadBytesMax); i++)
        {
            bytesRead += entries[i].Size;
            if (calls.Records.Read(entries[i].Position, entries[i].Size) is not { } bytes)
            {
                // Never skipped: whoever reads on must not take a message that is there for one that is not.
                return records.Count > 0 ? (records, null) : ([], Unreadable(entries[i].Position));
            }

            records.Add(new PlacedRecord(first + i, entries[i].Position, bytes));
        }

        return (records, refused);
    }

    /// <summary>
    /// The offset of a queue's first message that was stored at or after a time; the end of the queue when there is none.
    /// </summary>
    public async ValueTask<(QueueOffset Offset, BrokerFailure? Failure)> FindOffsetAsync(
        string topic, int queueId, long microseconds, CancellationToken cancellationToken)
    {
        if (Names.CheckTopic(topic) is { } violation)
        {
            return (default, BrokerFailure.Of(violation));
        }

        var (low, high, refused) = await calls.LookAsync<(long, long, BrokerFailure?)>(
            state => FindQueue(state, topic, queueId) is { } queue
                ? (queue.Min, queue.Max, null)
                : (0L, 0L, NoQueue(state, topic, queueId)),
            static reason => (0L, 0L, reason),
            cancellationToken);
        while (refused is null && low < high)
        {
            var middle = low + ((high - low) / 2);
            var (first, entries, problem) = await calls.LookAsync<(long, ConsumeQueueEntry[], BrokerFailure?)>(
                state => ReadEntries(state, new MessagePlace(topic, queueId, new QueueOffset(middle)), 1),
                static reason => (0L, [], reason),
                cancellationToken);
            refused = problem;
            if (refused is not null)
            {
                break;
            }

            if (entries.Length == 0 || first != middle)
            {
                // Retention moved the queue's beginning past it meanwhile.
                low = Math.Max(middle + 1, first);
                continue;
            }

            if (calls.Records.Read(entries[0].Position, entries[0].Size) is not { } bytes)
            {
                return (default, Unreadable(entries[0].Position));
            }

            RecordView.TryParseUnchecked(bytes, out var record, out _);
            (low, high) = record.StoreTime < microseconds ? (middle + 1, high) : (low, middle);
        }

        return (new QueueOffset(low), refused);
    }

    /// <summary>What nobody received looks like: no handle, no attempt.</summary>
    public static DeliveredMessage Decode(string topic, int queueId, long offset, LogPosition position, byte[] bytes) =>
        new(bytes, new DeliveryContext(topic, queueId, new QueueOffset(offset), position, 0, null, TimeSpan.Zero));

    /// <summary>The offset at which a record stands in a queue; -1 when it does not. Positions rise along a queue (I38).</summary>
    public static long FindOffset(QueueState queue, LogPosition position)
    {
        var (low, high) = (queue.Min, queue.Max - 1);
        while (low <= high)
        {
            var middle = low + ((high - low) / 2);
            var order = queue.Read(middle).Position.CompareTo(position);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    /// <summary>A queue by name and number; null when there is none.</summary>
    public static QueueState? FindQueue(BrokerState state, string topic, int queueId) =>
        state.Topics.Find(topic) is { } found && queueId >= 0 && queueId < found.Queues.Count ? found.Queues[queueId] : null;

    /// <summary>Why <see cref="FindQueue"/> found nothing.</summary>
    public static BrokerFailure NoQueue(BrokerState state, string topic, int queueId) => state.Topics.Find(topic) is { } found
        ? new BrokerFailure(
            BrokerError.InvalidArgument,
            $"the topic '{topic}' has no queue {queueId}; it has {found.Queues.Count}, from 0 on",
            Rule: BrokenRule.QueueCount)
        : new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{topic}' does not exist");

    private async ValueTask<Search> SearchAsync(KeyQuery query, CancellationToken cancellationToken)
    {
        if (Check(query) is { } failure)
        {
            return Search.Of(failure);
        }

        var (topicId, logStart, refused) = await LookAsync(query.Topic, cancellationToken);
        if (refused is { } reason)
        {
            return Search.Of(reason);
        }

        if (calls.Machine.Index is not { } index)
        {
            return Search.Of(new BrokerFailure(
                BrokerError.Unsupported, "this cluster keeps no index of keys: look a message up by queue and offset"));
        }

        var search = index.Keys.Search(MessageKeys.HashOf(topicId, query.Key), logStart, new LogPosition(long.MaxValue));
        var found = new List<StoredRecord>();
        var unreadable = new List<PositionRange>();
        var hasMore = search.Positions.Count > CandidatesMax;
        foreach (var position in search.Positions.Take(CandidatesMax))
        {
            if (calls.Records.Read(position) is not { } bytes)
            {
                // Never skipped in silence: perhaps it is the one.
                unreadable.Add(new PositionRange(position, position + RecordHeader.Size));
                continue;
            }

            if (!Matches(bytes, topicId, query))
            {
                continue;
            }

            // One more than asked for tells that there are more; some may not have taken effect.
            if (found.Count > query.CountMax)
            {
                hasMore = true;
                break;
            }

            found.Add(new StoredRecord(position, bytes));
        }

        return new Search(null, topicId, found, hasMore, [.. search.Gaps.Concat(unreadable).OrderBy(static gap => gap.Start)]);
    }

    private static (long First, ConsumeQueueEntry[] Entries, BrokerFailure? Failure) ReadEntries(
        BrokerState state, MessagePlace place, int countMax)
    {
        if (FindQueue(state, place.Topic, place.QueueId) is not { } queue)
        {
            return (0, [], NoQueue(state, place.Topic, place.QueueId));
        }

        var first = Math.Max(place.Offset.Value, queue.Min);
        var entries = new ConsumeQueueEntry[Math.Clamp(queue.Max - first, 0, countMax)];
        var count = queue.Read(first, entries);
        return (first, entries[..count], null);
    }

    private static bool Matches(byte[] bytes, int topicId, KeyQuery query)
    {
        RecordView.TryParseUnchecked(bytes, out var record, out _);
        return RoutedPlaces.QueueOf(record, topicId) >= 0
            && record.StoreTime >= query.FromMicroseconds
            && record.StoreTime < query.ToMicroseconds
            && MessageKeys.Has(record, Encoding.UTF8.GetBytes(query.Key), query.IsMessageId);
    }

    private static BrokerFailure? Check(KeyQuery query) =>
        Names.CheckTopic(query.Topic) is { } violation ? BrokerFailure.Of(violation)
        : query.Key.Length is 0 or > Limits.UserPropertyBytesMax ? new BrokerFailure(
            BrokerError.InvalidArgument,
            $"a key or message id of {query.Key.Length} characters is looked up; 1 to {Limits.UserPropertyBytesMax} are allowed",
            Rule: BrokenRule.MessageId)
        : CheckCount(query.CountMax);

    private static BrokerFailure? CheckCount(int count) => count is >= 1 and <= CountMax
        ? null
        : new BrokerFailure(
            BrokerError.InvalidArgument, $"{count} messages are asked for; 1 to {CountMax} are allowed", Rule: BrokenRule.Batch);

    private static BrokerFailure Unreadable(LogPosition position) => new(
        BrokerError.Unavailable, $"the record at position {position} cannot be read on this node at present");

    private ValueTask<(int TopicId, LogPosition LogStart, BrokerFailure? Failure)> LookAsync(
        string topic, CancellationToken cancellationToken) => calls.LookAsync<(int, LogPosition, BrokerFailure?)>(
            state => state.Topics.Find(topic) is { } found
                ? (found.Id, state.LogStart, null)
                : (0, default, new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{topic}' does not exist")),
            static reason => (0, default, reason),
            cancellationToken);

    private async ValueTask<List<DeliveredMessage>> PlaceAsync(
        string topic, int topicId, List<StoredRecord> records, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
        {
            return [];
        }

        var offsets = await calls.LookAsync(
            state => records.ConvertAll(record => FindOffset(state, topicId, record)), static _ => [], cancellationToken);
        var messages = new List<DeliveredMessage>(records.Count);
        for (var i = 0; i < offsets.Count; i++)
        {
            if (offsets[i] >= 0)
            {
                messages.Add(Decode(topic, records[i].QueueOf(topicId), offsets[i], records[i].Position, records[i].Bytes));
            }
        }

        return messages;
    }

    private static long FindOffset(BrokerState state, int topicId, in StoredRecord record) =>
        state.Topics.Find(topicId) is { } topic && record.QueueOf(topicId) is >= 0 and var queueId && queueId < topic.Queues.Count
            ? FindOffset(topic.Queues[queueId], record.Position)
            : -1;

    private sealed record Search(
        BrokerFailure? Failure, int TopicId, List<StoredRecord> Records, bool HasMore, IReadOnlyList<PositionRange> Gaps)
    {
        public static Search Of(BrokerFailure failure) => new(failure, 0, [], false, []);
    }

    private readonly record struct StoredRecord(LogPosition Position, byte[] Bytes)
    {
        public int QueueOf(int topicId) =>
            RecordView.TryParseUnchecked(Bytes, out var record, out _) ? RoutedPlaces.QueueOf(record, topicId) : -1;
    }
}

/// <summary>A verified record and where it stands in its queue.</summary>
internal readonly record struct PlacedRecord(long Offset, LogPosition Position, byte[] Bytes);
