using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Timers;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// Delayed messages (I46): what the committed log makes of them, by a second and plain reading of it, and what their senders and
/// consumers were told.
/// </summary>
internal sealed class TimerHistory(SimulatedCluster cluster)
{
    private readonly Dictionary<LogPosition, Waiting> _waiting = [];
    private readonly Dictionary<string, DelayedState> _states = [];
    private readonly HashSet<string> _invoked = [];
    private readonly HashSet<string> _consumed = [];
    private readonly Dictionary<LogPosition, string> _visible = [];
    private int _number;

    /// <summary>A send begins.</summary>
    public string Invoke()
    {
        var id = $"d{++_number}";
        _invoked.Add(id);
        return id;
    }

    /// <summary>A send was answered: the message is in the log.</summary>
    public void Acked(string id, AppendedMessage answer) => cluster.Checks.Check(
        "I46",
        _states.ContainsKey(id) && (answer.RecallHandle is null) == (answer.DeliverAtMicroseconds is null),
        $"{id} is acked at {answer.Position}, and the log does not have it, or it has no handle");

    /// <summary>A recall was confirmed.</summary>
    public void Recalled(string id) => cluster.Checks.Check(
        "I46", _states[id] == DelayedState.Cancelled, $"{id} is recalled, but in the log it is {_states[id]}");

    /// <summary>A recall was answered with "waits no more"; nothing brings a message back.</summary>
    public void NotFound(string id) => cluster.Checks.Check(
        "I46", _states[id] != DelayedState.Waiting, $"{id} cannot be recalled, but it waits");

    /// <summary>A message was given to a consumer.</summary>
    public void Delivered(DeliveredMessage message)
    {
        cluster.Checks.Check(
            "I46",
            _visible.TryGetValue(message.Position, out var id) && id == message.MessageId,
            $"{message.MessageId} at {message.Position} is delivered, which is early, too often, or recalled: "
                + $"{_states.GetValueOrDefault(message.MessageId)}");
        cluster.Checks.Check(
            "I46",
            message.DeliverAtMicroseconds <= message.StoreTimeMicroseconds || _states[message.MessageId] == DelayedState.Direct,
            $"{message.MessageId} is delivered at log time {message.StoreTimeMicroseconds}, not {message.DeliverAtMicroseconds}");
        _consumed.Add(message.MessageId);
    }

    /// <summary>A message of the topic is in the log; whether it joins its queue at once.</summary>
    public bool Stored(in RecordView record, LogPosition position, long logTime)
    {
        var id = Encoding.UTF8.GetString(record.Key);
        var tick = TimerKey.TickOf(record.DeliverAt!.Value);
        var isDirect = tick * TimerKey.TickMicroseconds <= logTime;
        cluster.Checks.Check("I46", _invoked.Contains(id), $"{id} is in the log, but nobody sent it");
        cluster.Checks.Check(
            "I46", _states.TryAdd(id, isDirect ? DelayedState.Direct : DelayedState.Waiting), $"{id} is in the log twice");
        if (isDirect)
        {
            _visible.Add(position, id);
            return true;
        }

        _waiting.Add(position, new Waiting(id, tick));
        return false;
    }

    /// <summary>The copy of a due message is in the log; whether it joins its queue.</summary>
    public bool Fired(in RecordView record, LogPosition position, long logTime)
    {
        var key = TimerReference.Read(record);
        if (Find(key) is not { } waiting || key.DueAt > logTime)
        {
            cluster.Marks.Reach("copy of a delayed message without effect");
            return false;
        }

        cluster.Marks.Reach("delayed message delivered");
        _waiting.Remove(new LogPosition(key.Position));
        _states[waiting.Id] = DelayedState.Fired;
        _visible.Add(position, waiting.Id);
        return true;
    }

    /// <summary>The copy of a message that goes on waiting is in the log.</summary>
    public void Relocated(in RecordView record, LogPosition position)
    {
        var key = TimerReference.Read(record);
        if (Find(key) is { } waiting)
        {
            cluster.Marks.Reach("delayed message copied forward");
            _waiting.Remove(new LogPosition(key.Position));
            _waiting.Add(position, waiting);
        }
    }

    public void Cancelled(TimerCancelCommand command)
    {
        foreach (var key in command.Keys)
        {
            if (Find(key) is { } waiting)
            {
                cluster.Marks.Reach("delayed message taken back");
                _waiting.Remove(new LogPosition(key.Position));
                _states[waiting.Id] = DelayedState.Cancelled;
            }
        }
    }

    public void Moved(TimerMoveCommand command)
    {
        foreach (var (key, _, tick) in command.Moves)
        {
            if (Find(key) is { } waiting)
            {
                cluster.Marks.Reach("delayed message moved");
                _waiting[new LogPosition(key.Position)] = waiting with { Tick = tick };
            }
        }
    }

    /// <summary>Where the log begins at most: what waits keeps its record.</summary>
    public LogPosition Clamp(LogPosition start)
    {
        var bits = cluster.Scenario.BrokerOptions.TimerChunkBits;
        foreach (var position in _waiting.Keys)
        {
            start = LogPosition.Min(start, new LogPosition(position.Value >> bits << bits));
        }

        return start;
    }

    /// <summary>What is due and not visible, or visible and not consumed; null: nothing.</summary>
    public string? DescribeOpen(long logTime)
    {
        var late = _waiting.Values.Where(waiting => waiting.Tick * TimerKey.TickMicroseconds <= logTime).ToList();
        // What the cluster gave up before anybody read it cannot be read any more.
        var unread = _visible
            .Where(pair => !_consumed.Contains(pair.Value)
                && !(cluster.Oracle.FindAt(pair.Key) is { } stored && cluster.Oracle.IsGone(stored)))
            .Select(pair => pair.Value)
            .ToList();
        return late.Count + unread.Count == 0
            ? null
            : $"{late.Count} late, {unread.Count} not consumed, for example {late.FirstOrDefault()?.Id ?? unread[0]};";
    }

    /// <summary>What waits on a node is what waits by the log (I46).</summary>
    public void Check(SimulatedNode node)
    {
        var found = new List<TimerEntry>();
        node.Broker!.Machine.State.Timers.Collect(TimerKey.First, long.MaxValue, int.MaxValue, found);
        var expected = _waiting.Select(pair => new TimerKey(pair.Value.Tick, pair.Key.Value)).Order();
        cluster.Checks.Check(
            "I46",
            found.Select(entry => entry.Key).SequenceEqual(expected),
            $"node {node.Id} has {found.Count} messages that wait, the log {_waiting.Count}, or others");
    }

    private Waiting? Find(TimerKey key) =>
        _waiting.GetValueOrDefault(new LogPosition(key.Position)) is { } waiting && waiting.Tick == key.Tick ? waiting : null;

    private enum DelayedState
    {
        Direct,
        Waiting,
        Fired,
        Cancelled,
    }

    private sealed record Waiting(string Id, long Tick);
}
