using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Invariants;
using Dledger.Testing.Schedules;

namespace Dledger.Simulation.Nodes;

/// <summary>
/// What survives a node's crash: frames up to the last finished sync and any prefix of those written since, and a term and vote.
/// One writer handles log operations in order, another the meta file; both take simulated time.
/// </summary>
internal sealed class SimulatedDisk(EventQueue events, SimulationRandom random, long syncLatency, Checks checks, NodeId node)
{
    private abstract record Operation;

    private sealed record Write(uint Generation, SimulatedFrame[] Frames) : Operation;

    private sealed record Cut(LogPosition Position) : Operation;

    private readonly Queue<Operation> _log = new();
    private readonly Queue<(long Version, Term Term, NodeId Vote, bool HasLoss, LogPosition Floor)> _meta = new();
    private readonly List<SimulatedFrame> _written = [];
    private int _durableCount;
    private int _generation = 1;
    private LogPosition? _pendingCut;
    private bool _isLogBusy;
    private bool _isMetaBusy;
    private Action? _finishLog;
    private Action? _finishMeta;
    private long _logOperation;
    private long _metaOperation;

    /// <summary>The node with this disk; after a wipe it is another member.</summary>
    public Member Member { get; private set; } = new(node, StorageOf(node, 1));

    /// <summary>The flag in the meta file: frames that were acknowledged may be missing.</summary>
    public bool HasLoss { get; private set; }

    /// <summary>In the meta file: position of the configuration in force.</summary>
    public LogPosition ConfigurationFloor { get; private set; }

    public Term Term { get; private set; }

    public NodeId VotedFor { get; private set; }

    /// <summary>Syncs that begin before this moment end only then.</summary>
    public long StalledUntil { get; set; }

    /// <summary>Told when a sync that is stalled begins and ends; null: none is pending.</summary>
    public Action<bool>? SyncPending { get; set; }

    public Action<LogPosition, uint>? LogDurable { get; set; }

    public Action<long>? MetaDurable { get; set; }

    public IReadOnlyList<SimulatedFrame> Written => _written;

    /// <summary>Whether everything up to a frame of that name is on this disk for good.</summary>
    public bool HoldsDurably(LogPosition position, ulong prefixHash)
    {
        if (position == LogPosition.Zero)
        {
            return true;
        }

        var low = 0;
        var high = _durableCount;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_written[middle].End < position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < _durableCount && _written[low].End == position && _written[low].PrefixHash == prefixHash;
    }

    public LogPosition DurableEnd => _durableCount == 0 ? LogPosition.Zero : _written[_durableCount - 1].End;

    public void EnqueueWrite(uint generation, SimulatedFrame[] frames)
    {
        _log.Enqueue(new Write(generation, frames));
        StartLog();
    }

    public void EnqueueCut(LogPosition position)
    {
        _log.Enqueue(new Cut(position));
        StartLog();
    }

    public void EnqueueMeta(long version, Term term, NodeId vote, bool hasLoss, LogPosition configurationFloor)
    {
        _meta.Enqueue((version, term, vote, hasLoss, configurationFloor));
        StartMeta();
    }

    public bool HasUnwrittenMeta => _meta.Count > 0;

    /// <summary>The disk works again: what hangs is done soon.</summary>
    public void EndStall()
    {
        StalledUntil = 0;
        if (_isLogBusy)
        {
            events.After(Latency(), _finishLog!);
        }

        if (_isMetaBusy)
        {
            events.After(Latency(), _finishMeta!);
        }
    }

    /// <summary>The process is gone: what was queued is lost, what was being written is there in part. True when frames were lost.</summary>
    public bool Crash()
    {
        _logOperation++;
        _metaOperation++;
        if (_pendingCut is { } cut && random.Chance(0.5))
        {
            CutTo(cut);
        }

        var kept = _durableCount + random.Next(_written.Count - _durableCount + 1);
        var isLost = kept < _written.Count || _log.Count > 0;
        _written.RemoveRange(kept, _written.Count - kept);
        _durableCount = kept;
        _pendingCut = null;
        _log.Clear();
        if (_meta.TryPeek(out var meta) && random.Chance(0.5))
        {
            Keep(meta.Term, meta.Vote, meta.HasLoss, meta.Floor);
        }

        _meta.Clear();
        _isLogBusy = false;
        _isMetaBusy = false;
        StalledUntil = 0;
        return isLost;
    }

    /// <summary>The disk is replaced while the process is down: the node is another member now, with nothing.</summary>
    public void Wipe()
    {
        checks.Commits.Damaged(Member, _written);
        Member = new Member(node, StorageOf(node, ++_generation));
        HasLoss = false;
        ConfigurationFloor = LogPosition.Zero;
        Term = Term.Zero;
        VotedFor = NodeId.None;
        _written.Clear();
        _durableCount = 0;
    }

    /// <summary>Recovery finds frames missing that may have been acknowledged, and sets the flag.</summary>
    public void Lose(int keptCount)
    {
        checks.Commits.Damaged(Member, _written);
        HasLoss = true;
        _written.RemoveRange(keptCount, _written.Count - keptCount);
        _durableCount = keptCount;
    }

    private static Guid StorageOf(NodeId node, int generation) => new(node.Value, (short)generation, 0, new byte[8]);

    private long Latency() =>
        Math.Max(random.NextInterval(syncLatency), StalledUntil - events.Now);

    private void StartLog()
    {
        if (_isLogBusy || _log.Count == 0)
        {
            return;
        }

        _isLogBusy = true;
        uint generation = 0;
        var hasWrites = false;
        while (_log.TryPeek(out var operation) && (operation is Write || !hasWrites))
        {
            _log.Dequeue();
            if (operation is Cut cut)
            {
                _pendingCut = cut.Position;
                break;
            }

            var write = (Write)operation;
            generation = write.Generation;
            hasWrites = true;
            foreach (var frame in write.Frames)
            {
                var end = _written.Count == 0 ? LogPosition.Zero : _written[^1].End;
                checks.Check("I10", frame.Summary.Base == end, $"node {node} writes a frame at {frame.Summary.Base}, file ends at {end}");
                checks.Check("I3", frame.Term <= Term, $"node {node} writes a frame of term {frame.Term}, durable term {Term}");
                _written.Add(frame);
            }
        }

        var latency = Latency();
        var isStalled = latency > 20 * syncLatency;
        if (isStalled)
        {
            SyncPending?.Invoke(true);
        }

        var number = ++_logOperation;
        _finishLog = () =>
        {
            if (number == _logOperation)
            {
                _logOperation++;
                FinishLog(hasWrites, generation, isStalled);
            }
        };
        events.After(latency, _finishLog);
    }

    private void FinishLog(bool hasWrites, uint generation, bool isStalled)
    {
        _isLogBusy = false;
        if (_pendingCut is { } cut)
        {
            CutTo(cut);
            _pendingCut = null;
        }

        _durableCount = _written.Count;
        if (isStalled)
        {
            SyncPending?.Invoke(false);
        }

        if (hasWrites)
        {
            LogDurable?.Invoke(DurableEnd, generation);
        }

        StartLog();
    }

    private void CutTo(LogPosition position)
    {
        while (_written.Count > 0 && _written[^1].End > position)
        {
            _written.RemoveAt(_written.Count - 1);
        }

        _durableCount = Math.Min(_durableCount, _written.Count);
    }

    private void StartMeta()
    {
        if (_isMetaBusy || _meta.Count == 0)
        {
            return;
        }

        _isMetaBusy = true;
        var number = ++_metaOperation;
        _finishMeta = () =>
        {
            if (number == _metaOperation)
            {
                _metaOperation++;
                _isMetaBusy = false;
                var (version, term, vote, hasLoss, floor) = _meta.Dequeue();
                Keep(term, vote, hasLoss, floor);
                MetaDurable?.Invoke(version);
                StartMeta();
            }
        };
        events.After(Latency(), _finishMeta);
    }

    private void Keep(Term term, NodeId vote, bool hasLoss, LogPosition configurationFloor)
    {
        checks.Check("I2", term >= Term, $"node {node} persists term {term} after {Term}");
        checks.Check(
            "I2",
            term > Term || VotedFor == NodeId.None || VotedFor == vote,
            $"node {node} voted for {VotedFor} and {vote} in term {term}");
        Term = term;
        VotedFor = vote;
        HasLoss = hasLoss;
        ConfigurationFloor = configurationFloor;
        checks.Elections.VotePersisted(Member, term, vote, hasLoss);
    }
}
