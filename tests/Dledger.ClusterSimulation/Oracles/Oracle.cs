using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Letters;
using Dledger.Broker.Routes;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Replication;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>A message as the committed log has it.</summary>
internal sealed record StoredMessage(
    string Id, int TopicId, int QueueId, long Offset, LogPosition Position, int Size, long StoredAt, byte[] Body);

/// <summary>
/// The committed log is the truth: positions witness the order of everything. This is a second, plain reading of it, made
/// from the frames that the nodes hand to their state machines.
/// </summary>
internal sealed class Oracle(SimulatedCluster cluster)
{
    private readonly Dictionary<LogPosition, (LogPosition End, uint HeaderCrc)> _frames = [];
    private readonly List<(LogPosition Base, LogPosition End, uint HeaderCrc)> _inOrder = [];
    private readonly Dictionary<LogPosition, Term> _terms = [];
    private readonly Dictionary<LogPosition, ulong> _hashes = [];
    private readonly Dictionary<LogPosition, StoredMessage> _byPosition = [];
    private readonly Dictionary<(int Topic, int Queue), List<StoredMessage>> _queues = [];
    private readonly Dictionary<string, StoredMessage> _byId = [];
    private readonly Dictionary<(int Topic, int Queue), long> _firstKept = [];
    private long _logTime;
    private Term _term;

    /// <summary>End of the longest committed prefix that any node has applied.</summary>
    public LogPosition End { get; private set; }

    public IEnumerable<((int Topic, int Queue) Key, IReadOnlyList<StoredMessage> Messages)> Queues =>
        _queues.OrderBy(each => each.Key).Select(each => (each.Key, (IReadOnlyList<StoredMessage>)each.Value));

    /// <summary>The cluster agreed to forget what lies before it.</summary>
    public LogPosition LogStart { get; private set; }

    /// <summary>Committed frames in their order.</summary>
    public IReadOnlyList<(LogPosition Base, LogPosition End, uint HeaderCrc)> Frames => _inOrder;

    /// <summary>How many messages the committed log holds.</summary>
    public int MessageCount => _byId.Count;

    public StoredMessage? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>How often messages were given up, by the cluster's retention or by a topic's own.</summary>
    public int GivenUpCount { get; private set; }

    /// <summary>Whether a message of the topic that producers send to was given up.</summary>
    public bool IsGone(int queue, long offset) =>
        _queues.TryGetValue((cluster.Producing.TopicId, queue), out var messages)
        && offset < messages.Count
        && IsGone(messages[(int)offset]);

    /// <summary>Whether a message was given up.</summary>
    public bool IsGone(StoredMessage message) =>
        message.Position < LogStart || message.Offset < FirstKept(message.TopicId, message.QueueId);

    /// <summary>The first offset of a queue that its topic's own retention keeps.</summary>
    public long FirstKept(int topicId, int queueId) => _firstKept.GetValueOrDefault((topicId, queueId));

    /// <summary>How many messages of a queue of the producers' topic are committed.</summary>
    public int CountOf(int queue) => CountOf(cluster.Producing.TopicId, queue);

    /// <summary>How many messages of a queue are committed.</summary>
    public int CountOf(int topicId, int queueId) => _queues.TryGetValue((topicId, queueId), out var messages) ? messages.Count : 0;

    /// <summary>The term of the applied frame that ends at a position; null when none does.</summary>
    public Term? FindTermBefore(LogPosition end) => _terms.TryGetValue(end, out var term) ? term : null;

    public StoredMessage? FindAt(LogPosition position) => _byPosition.GetValueOrDefault(position);

    /// <summary>The message at a place; null when there is none.</summary>
    public StoredMessage? FindIn(int topicId, int queueId, long offset) =>
        _queues.TryGetValue((topicId, queueId), out var messages) && offset >= 0 && offset < messages.Count ? messages[(int)offset] : null;

    /// <summary>A node is about to apply a frame.</summary>
    public void Observe(SimulatedNode node, in CommittedFrame frame)
    {
        var summary = frame.Summary;
        var crc = summary.HeaderCrc;
        if (summary.Base == End)
        {
            Append(frame);
        }

        var isKnown = _frames.TryGetValue(summary.Base, out var known);
        cluster.Checks.Check(
            "I20",
            isKnown,
            $"node {node.Id} applies a frame at {summary.Base}, which is inside of a committed one or behind {End}");
        cluster.Checks.Check(
            "I20",
            known.End == summary.End && known.HeaderCrc == crc,
            $"node {node.Id} applies another frame at {summary.Base} than was committed before");
    }

    /// <summary>Whether the states after this frame are compared; all of them would take too long.</summary>
    public bool IsHashed(in FrameSummary frame) => frame.HeaderCrc % 16 == 0;

    /// <summary>A node has applied everything before a position.</summary>
    public void Hashed(SimulatedNode node, LogPosition position, ulong hash) => cluster.Checks.Check(
        "I36",
        _hashes.TryAdd(position, hash) || _hashes[position] == hash,
        $"node {node.Id} has another state at {position} than the first that was there");

    /// <summary>A node continues from a checkpoint, perhaps one that another node sent.</summary>
    public void Restored(SimulatedNode node, LogPosition position, ulong hash, bool isInstalled)
    {
        cluster.Checks.Check("I28", position <= End, $"node {node.Id} restored {position}, committed is {End}");
        if (isInstalled && _hashes.TryGetValue(position, out var known))
        {
            cluster.Checks.Check(
                "I31", hash == known, $"node {node.Id} installed another state at {position} than the others had there");
        }

        Hashed(node, position, hash);
    }

    private void Append(in CommittedFrame frame)
    {
        var summary = frame.Summary;
        _frames.Add(summary.Base, (summary.End, summary.HeaderCrc));
        _inOrder.Add((summary.Base, summary.End, summary.HeaderCrc));
        End = summary.End;
        cluster.Checks.Check("I49", frame.LogTime >= _logTime, $"log time {frame.LogTime} follows {_logTime}");
        _logTime = frame.LogTime;
        var isStart = frame.Summary.Flags.HasFlag(FrameFlags.TermStart);
        cluster.Checks.Check(
            "I11",
            isStart == (summary.Term > _term) && summary.Term >= _term,
            $"the frame at {summary.Base} of term {summary.Term} follows term {_term}, with flags {summary.Flags}");
        _term = summary.Term;
        _terms.Add(summary.End, summary.Term);
        if (isStart)
        {
            cluster.Quotas?.History.TermBegan(summary.Term, frame.LogTime);
        }

        cluster.Checks.Commits.Applied(summary.End, summary.Term);
        CheckMajority(summary);
        var records = new RecordEnumerator(frame.Payload.Span, summary.Base + FrameHeader.Size);
        while (records.MoveNext())
        {
            foreach (var ledger in cluster.Ledgers)
            {
                ledger.Observe(records.Current, records.CurrentPosition, frame.LogTime);
            }

            cluster.Streams?.Spans.Observe(records.Current, records.CurrentPosition, frame.LogTime);

            if (records.Current.Kind == RecordKind.MessageBatch)
            {
                cluster.Marks.Reach("batch stored as it was compressed");
                foreach (var (position, bytes) in PackedMessages.Of(records.Current, records.CurrentPosition))
                {
                    Append(PackedMessages.Parse(cluster.Checks, position, bytes), position, frame.LogTime);
                }
            }
            else if (records.Current.Kind == RecordKind.Message
                || cluster.Transactions.Observe(records.Current, records.CurrentPosition, frame.LogTime))
            {
                if (records.Current.DeliverAt is null)
                {
                    Append(records.Current, records.CurrentPosition, frame.LogTime);
                }
                else if (cluster.Timers.Stored(records.Current, records.CurrentPosition, frame.LogTime))
                {
                    AppendToQueue(records.Current, records.CurrentPosition, frame.LogTime);
                }
            }
            else if (records.Current.Kind == RecordKind.TimerFire)
            {
                if (cluster.Timers.Fired(records.Current, records.CurrentPosition, frame.LogTime))
                {
                    AppendToQueue(records.Current, records.CurrentPosition, frame.LogTime);
                }
            }
            else if (records.Current.Kind == RecordKind.TopicUpsert)
            {
                cluster.Routes?.History.Changed(TopicUpsertCommand.Decode(records.Current.Body));
            }
            else if (records.Current.Kind == RecordKind.Relocate)
            {
                cluster.Timers.Relocated(records.Current, records.CurrentPosition);
            }
            else if (records.Current.Kind == RecordKind.TimerCancel)
            {
                cluster.Timers.Cancelled(TimerCancelCommand.Decode(records.Current.Body));
            }
            else if (records.Current.Kind == RecordKind.TimerMove)
            {
                cluster.Timers.Moved(TimerMoveCommand.Decode(records.Current.Body));
            }
            else if (records.Current.Kind == RecordKind.ResetOffset && SeekCommand.IsSeek(records.Current.Body))
            {
                cluster.Seeking.Moved(records.CurrentPosition, SeekCommand.Decode(records.Current.Body).Queues, isSeek: true);
            }
            else if (records.Current.Kind == RecordKind.CommitOffset)
            {
                cluster.Seeking.Moved(
                    records.CurrentPosition, CommitOffsetCommand.Decode(records.Current.Body).Queues, isSeek: false);
            }
            else if (records.Current.Kind == RecordKind.Lease && cluster.Quotas is { } quotas)
            {
                var lease = LeaseCommand.Decode(records.Current.Body);
                quotas.History.Leased(
                    lease, frame.LogTime, (queueId, offset) => _queues[(lease.TopicId, queueId)][(int)offset].Size);
            }
            else if (records.Current.Kind == RecordKind.ResetOffset)
            {
                cluster.Broadcast?.History.Subscribed(records.CurrentPosition, SubscribeCommand.Decode(records.Current.Body));
            }
            else if (records.Current.Kind == RecordKind.LiteCreate)
            {
                cluster.Lites!.History.Created(LiteCreateCommand.Decode(records.Current.Body), frame.LogTime);
            }
            else if (records.Current.Kind == RecordKind.LiteEnd)
            {
                cluster.Lites!.History.Ended(
                    LiteEndCommand.Decode(records.Current.Body), records.CurrentPosition, frame.LogTime);
            }
            else if (records.Current.Kind == RecordKind.GroupPause)
            {
                cluster.Modes!.History.Paused(
                    records.CurrentPosition, GroupPauseCommand.Decode(records.Current.Body), frame.LogTime);
            }
            else if (records.Current.Kind == RecordKind.BroadcastEnd)
            {
                cluster.Broadcast!.History.Ended();
            }
            else if (records.Current.Kind == RecordKind.Replay)
            {
                Replayed(ReplayCommand.Decode(records.Current.Body), records.CurrentPosition);
            }
            else if (records.Current.Kind == RecordKind.Resend)
            {
                if (cluster.Letters!.History.Copied(LetterEncoder.ReadReference(records.Current)))
                {
                    AppendToQueue(records.Current, records.CurrentPosition, frame.LogTime);
                }
            }
            else if (records.Current.Kind == RecordKind.LogStartAdvance)
            {
                cluster.Marks.Reach("old messages given up");
                GivenUpCount++;
                LogStart = LogPosition.Max(
                    LogStart, cluster.Timers.Clamp(LogStartCommand.Decode(records.Current.Body).Start));
                cluster.Transactions.Forgotten(LogStart);
            }
            else if (records.Current.Kind == RecordKind.TopicTrim)
            {
                cluster.Marks.Reach("old messages of a topic given up");
                GivenUpCount++;
                Trim(TopicTrimCommand.Decode(records.Current.Body), frame.LogTime);
            }
        }

        cluster.Transactions.FrameEnded();
    }

    /// <summary>A queue lost what it held, and goes on with the next offset; the messages that went.</summary>
    public IReadOnlyList<StoredMessage> Emptied(int topicId, int queueId)
    {
        if (!_queues.TryGetValue((topicId, queueId), out var queue))
        {
            return [];
        }

        var gone = queue.Skip((int)FirstKept(topicId, queueId)).ToList();
        _firstKept[(topicId, queueId)] = queue.Count;
        GivenUpCount++;
        return gone;
    }

    private void Replayed(ReplayCommand command, LogPosition position)
    {
        if (command.Letter is not null)
        {
            cluster.Letters!.History.PutBack(command);
        }
        else
        {
            cluster.Replay!.History.Observed(position, command);
        }
    }

    // No message goes that is younger than its topic's retention, or among the newest that the topic keeps; with both set, either may
    // take it.
    private void Trim(TopicTrimCommand trim, long logTime)
    {
        foreach (var (queueId, min) in trim.Queues)
        {
            var key = (trim.TopicId, queueId);
            foreach (var message in _queues[key].Take((int)min).Skip((int)_firstKept.GetValueOrDefault(key)))
            {
                cluster.Checks.Check(
                    "I40",
                    trim.Retention.Bytes > 0 || message.StoredAt + trim.Retention.Microseconds <= logTime,
                    $"{message.Id} of {message.StoredAt} is given up at {logTime}, to be kept for {trim.Retention.Microseconds}");
            }

            _firstKept[key] = min;
        }

        var kept = _queues.Where(queue => queue.Key.Topic == trim.TopicId)
            .Sum(queue => queue.Value.Skip((int)FirstKept(trim.TopicId, queue.Key.Queue)).Sum(message => (long)message.Size));
        cluster.Checks.Check(
            "I40",
            trim.Retention.Microseconds > 0 || kept >= trim.Retention.Bytes,
            $"topic {trim.TopicId} keeps {kept} bytes of its messages, to be kept are {trim.Retention.Bytes}");
    }

    // What a node called durable last, it holds; that the bytes are these, I9 and I20 say.
    private void CheckMajority(in FrameSummary frame)
    {
        var end = frame.End;
        var holders = cluster.Nodes.Count(Holds);
        cluster.Checks.Check(
            "I23",
            cluster.Scenario.ChangesMembers
                ? cluster.Checks.Replication.Configurations.Any(members => Electorate.IsMajority(members, IsHeldBy))
                : holders > cluster.Nodes.Count / 2,
            $"the frame at {frame.Base} is committed, but {holders} of {cluster.Nodes.Count} nodes have it durable up to {end}");

        bool Holds(SimulatedNode node) => cluster.LogRot.HasHit(node) || node.Acknowledged >= end || node.Lost >= end;
        bool IsHeldBy(NodeId node) => Holds(cluster.Nodes[node.Value - 1]);
    }

    // Queue offsets by counting: no topic is deleted here, and every record names a queue that exists.
    private void Append(in RecordView record, LogPosition position, long logTime)
    {
        if (cluster.Keyed is { } keyed && DedupHistory.Owns(Encoding.UTF8.GetString(record.Key)))
        {
            keyed.History.Stored(AppendToQueue(record, position, logTime));
            return;
        }

        if (cluster.Streams is { } streams && Encoding.UTF8.GetString(record.Key) is var streamed && BatchHistory.Owns(streamed))
        {
            if (streams.Batches.IsFirst(streamed))
            {
                streams.Batches.Joined(AppendToQueue(record, position, logTime));
            }

            return;
        }

        if (cluster.Lites is { } lites && LiteHistory.Owns(Encoding.UTF8.GetString(record.Key)))
        {
            if (lites.History.Admits(record, logTime))
            {
                var lite = AppendToQueue(record, position, logTime);
                cluster.Checks.Check("I42", _byId.TryAdd(lite.Id, lite), $"message {lite.Id} is in the log twice");
            }

            return;
        }

        if (cluster.Routes is { } routes && Encoding.UTF8.GetString(record.Key) is var id && RouteHistory.Owns(id))
        {
            if (routes.History.Stored(id, record, position))
            {
                AppendToQueue(record, position, logTime);
            }

            return;
        }

        if (cluster.Scenario.HasRepeats
            && record.Kind == RecordKind.Message
            && _byId.ContainsKey(Encoding.UTF8.GetString(record.Key)))
        {
            cluster.Marks.Reach("repeat in the log without effect");
            return;
        }

        var message = AppendToQueue(record, position, logTime);
        cluster.Checks.Check("I42", _byId.TryAdd(message.Id, message), $"message {message.Id} is in the log twice");
        if (OrderHistory.Owns(message.Id))
        {
            cluster.Order!.History.Stored(message);
        }
        else if (QuotaHistory.Owns(message.Id))
        {
            cluster.Quotas!.History.Stored(message);
        }
        else if (BroadcastHistory.Owns(message.Id))
        {
            cluster.Broadcast!.History.Stored(message);
        }
        else if (ReplayHistory.Owns(message.Id))
        {
            cluster.Replay!.History.Stored(message);
        }
        else if (ModeHistory.Owns(message.Id))
        {
            cluster.Modes!.History.Stored(message);
        }
        else if (LetterHistory.Owns(message.Id))
        {
            // Its copies are what counts.
        }
        else if (PriorityHistory.Owns(message.Id))
        {
            cluster.Priorities!.History.Stored(message);
        }
        else if (record.Kind == RecordKind.Message)
        {
            cluster.Producing.Stored(message);
        }
    }

    private StoredMessage AppendToQueue(in RecordView record, LogPosition position, long logTime)
    {
        var message = AppendToQueue(record, record.TopicId, record.QueueId, position, logTime);
        _byPosition.Add(position, message);
        cluster.Routes?.History.Joined(record);
        var places = RoutedPlaces.Of(record);
        for (var i = 0; i < places.Count; i++)
        {
            AppendToQueue(record, places[i].TopicId, places[i].QueueId, position, logTime);
        }

        return message;
    }

    private StoredMessage AppendToQueue(in RecordView record, int topicId, int queueId, LogPosition position, long logTime)
    {
        var key = (topicId, queueId);
        if (!_queues.TryGetValue(key, out var queue))
        {
            _queues.Add(key, queue = []);
        }

        var message = new StoredMessage(
            Encoding.UTF8.GetString(record.Key),
            topicId,
            queueId,
            queue.Count,
            position,
            record.Length,
            logTime,
            record.Body.ToArray());
        queue.Add(message);
        return message;
    }
}
