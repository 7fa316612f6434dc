using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Timers;

/// <summary>
/// What the serving leader does about delayed messages: reads the records of those that are due, beside the apply loop, and proposes
/// their copies. Volatile; owned by the apply loop, but for the reading.
/// </summary>
/// <remarks>
/// It goes through what is due once, in order. Apply takes each copy only while its message waits and is due, so it does no harm to
/// begin anew, which happens when a proposal came to nothing.
/// </remarks>
internal sealed class TimerDuty(
    BrokerState state,
    LeaderInbox inbox,
    RecordReader records,
    Func<Proposal, ProposalFailure?> propose,
    Func<long, long> clock,
    int batchBytesMax,
    ILogger logger)
{
    /// <summary>Batches in flight: what keeps the log busy and the memory small.</summary>
    private const int BatchesMax = 8;

    private const int RelocationsMax = 256;

    /// <summary>Log time between two batches that are copied forward: some MB a second.</summary>
    private const long RelocationPause = 50_000;

    /// <summary>Log time after which a record that was damaged is tried again: other nodes may have mended it.</summary>
    private const long UnreadablePause = 5_000_000;

    private readonly List<TimerEntry> _found = [];
    private readonly HashSet<long> _inFlight = [];
    private readonly HashSet<long> _unreadable = [];
    private readonly Queue<TimerBatch> _refused = [];
    private TimerKey _cursor = TimerKey.First;
    private long _retryAt = long.MaxValue;
    private long _epoch;
    private int _batches;
    private bool _mustRestart;
    private bool _isRelocating;
    private long _relocateAt = long.MaxValue;
    private LogPosition _relocateBelow;

    /// <summary>Log time at which <see cref="Work"/> has something to do.</summary>
    public long NextAt { get; private set; } = long.MaxValue;

    /// <summary>This node began or ceased to serve.</summary>
    public void Reset()
    {
        _epoch++;
        _inFlight.Clear();
        _unreadable.Clear();
        _refused.Clear();
        _batches = 0;
        _retryAt = long.MaxValue;
        _mustRestart = false;
        _isRelocating = false;
        _relocateAt = long.MaxValue;
        Restart();
    }

    /// <summary>The log is to begin here, as far as nothing that waits needs more: that is copied forward.</summary>
    public void RelocateBelow(LogPosition position, long logTimeNow)
    {
        _relocateBelow = position;
        _relocateAt = Math.Min(_relocateAt, logTimeNow);
        NextAt = Math.Min(NextAt, logTimeNow);
    }

    /// <summary>A message waits from now on, or waits for another time.</summary>
    public void Added(TimerKey key)
    {
        if (key <= _cursor)
        {
            _cursor = key.Before;
        }

        NextAt = Math.Min(NextAt, key.DueAt);
    }

    /// <summary>Time-driven: what was refused or could not be read is tried again.</summary>
    public void Due(long logTimeNow)
    {
        for (var left = _refused.Count; left > 0; left--)
        {
            Propose(_refused.Dequeue());
        }

        if (_retryAt <= logTimeNow)
        {
            _retryAt = long.MaxValue;
            _unreadable.Clear();
            Restart();
        }

        if (_relocateAt <= logTimeNow && !_isRelocating && _refused.Count == 0)
        {
            Relocate(logTimeNow);
        }

        Work(logTimeNow);
    }

    /// <summary>Takes what is due, as far as there is room.</summary>
    public void Work(long logTime)
    {
        logTime = clock(logTime);
        if (_mustRestart && _batches == 0 && !_isRelocating)
        {
            _mustRestart = false;
            Restart();
        }

        var tick = TimerKey.TickAt(logTime);
        while (_batches < BatchesMax && _refused.Count == 0 && NextAt <= logTime && TakeBatch(tick, logTime))
        {
        }

        NextAt = FindNext(logTime);
    }

    private void Restart()
    {
        _cursor = TimerKey.First;
        NextAt = state.Timers.First?.DueAt ?? long.MaxValue;
    }

    private long FindNext(long logTime)
    {
        if (_refused.Count > 0)
        {
            return logTime;
        }

        if (_batches >= BatchesMax || _mustRestart)
        {
            // What ends next wakes this duty.
            return _batches > 0 || _isRelocating ? long.MaxValue : logTime;
        }

        _found.Clear();
        state.Timers.Collect(_cursor, long.MaxValue, 1, _found);
        return Math.Min(Math.Min(_retryAt, _isRelocating ? long.MaxValue : _relocateAt), _found.Count == 0 ? long.MaxValue : _found[0].Key.DueAt);
    }

    private bool TakeBatch(long tick, long logTime)
    {
        _found.Clear();
        state.Timers.Collect(_cursor, tick, TimerBatch.CountMax, _found);
        if (_found.Count == 0)
        {
            return false;
        }

        var batch = new TimerBatch(_epoch, RecordKind.TimerFire, batchBytesMax, state.Topics.Directory);
        foreach (var entry in _found)
        {
            if (!batch.HasRoomFor(entry))
            {
                break;
            }

            _cursor = entry.Key;
            Add(entry, batch);
        }

        if (!batch.IsEmpty)
        {
            _batches++;
            Begin(batch, logTime);
        }

        return true;
    }

    private void Relocate(long logTime)
    {
        _relocateAt = long.MaxValue;
        if (state.Timers.OldestNeeded is not { } oldest || oldest >= _relocateBelow)
        {
            return;
        }

        var batch = new TimerBatch(_epoch, RecordKind.Relocate, batchBytesMax, state.Topics.Directory);
        foreach (var entry in state.Timers.CollectBelow(_relocateBelow, RelocationsMax))
        {
            if (batch.HasRoomFor(entry))
            {
                Add(entry, batch);
            }
        }

        _relocateAt = logTime + RelocationPause;
        if (!batch.IsEmpty)
        {
            _isRelocating = true;
            Begin(batch, logTime);
        }
    }

    private void Add(in TimerEntry entry, TimerBatch batch)
    {
        if (_unreadable.Contains(entry.Key.Position))
        {
            return;
        }

        if (!_inFlight.Add(entry.Key.Position))
        {
            // It got another time after it was taken, so that copy has no effect: it is looked for again when it has ended.
            _mustRestart = true;
            return;
        }

        if (state.Topics.Find(entry.TopicId) is null)
        {
            batch.Gone.Add(entry.Key);
        }
        else
        {
            batch.Entries.Add(entry);
        }
    }

    private void Begin(TimerBatch batch, long logTime) =>
        batch.Begin(records, () => inbox.Add(() => WasRead(batch, logTime)));

    private void WasRead(TimerBatch batch, long logTime)
    {
        if (batch.Epoch != _epoch)
        {
            return;
        }

        foreach (var entry in batch.Unreadable)
        {
            _unreadable.Add(entry.Key.Position);
            _inFlight.Remove(entry.Key.Position);
            _retryAt = Math.Min(_retryAt, logTime + UnreadablePause);
            BrokerEvents.TimerUnreadable(logger, new LogPosition(entry.Key.Position), entry.TopicId);
        }

        if (batch.RecordCount == 0)
        {
            Ended(batch, isApplied: true);
            return;
        }

        Propose(batch);
    }

    // Refused: the inbox of the log is full. What was read is kept for the next time.
    private void Propose(TimerBatch batch)
    {
        var proposal = new LeaderProposal(
            batch.Records, inbox, (_, isApplied) => Ended(batch, isApplied), batch.RecordCount);
        if (propose(proposal) is not null)
        {
            _refused.Enqueue(batch);
            NextAt = state.LogTime;
        }
    }

    private void Ended(TimerBatch batch, bool isApplied)
    {
        if (batch.Epoch != _epoch)
        {
            return;
        }

        foreach (var key in batch.Keys)
        {
            _inFlight.Remove(key.Position);
        }

        if (batch.Kind == RecordKind.Relocate)
        {
            _isRelocating = false;
        }
        else
        {
            _batches--;
        }

        _mustRestart |= !isApplied;
        NextAt = state.LogTime;
    }
}
