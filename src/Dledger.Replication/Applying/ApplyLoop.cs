using Dledger.Primitives;
using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Replication.Tails;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Applying;

/// <summary>
/// The loop that owns the state machine: committed frames in log order, requests between them, timers.
/// </summary>
internal sealed class ApplyLoop : ILoop
{
    private const int FramesPerRound = 256;
    private const long BytesPerRound = 8L << 20;
    private const long DueIntervalMicroseconds = 10_000;
    private const long MaintainIntervalMicroseconds = 100_000;

    private static readonly IReadOnlyList<Proposal> NoProposals = [];

    private readonly IStateMachine _machine;
    private readonly CommitLog _log;
    private readonly FrameSource _frames;
    private readonly LogClock _clock;
    private readonly IApplyReports _reports;
    private readonly DiskWorkLoop _diskWork;
    private readonly int _requestCountMax;
    private readonly NodeId _self;
    private readonly LogPosition? _installedState;
    private readonly SwapQueue<ApplyOrder> _orders;
    private readonly SwapQueue<IStateMachineRequest> _requests;
    private readonly Queue<ProposedFrame> _proposed = new();
    private List<ApplyOrder> _takenOrders = [];
    private List<IStateMachineRequest> _takenRequests = [];
    private int _requestCount;
    private LogPosition _commit;
    private LogPosition _commitTold;
    private LogPosition _applied;
    private long _appliedValue;
    private long _commitValue;
    private long _durableValue;
    private long _servingTermValue;
    private Term _leadingTerm;
    private volatile bool _isRestored;
    private LogPosition _restored;
    private bool _isLeading;
    private bool _isServing;
    private long _dueAt;
    private long _maintainedAt;
    private bool _isMaintenanceOwed;
    private StopApplying? _stop;

    public ApplyLoop(
        IStateMachine machine,
        CommitLog log,
        TailCache cache,
        LogClock clock,
        IApplyReports reports,
        DiskWorkLoop diskWork,
        NodeId self,
        int requestCountMax,
        LogPosition? installedState)
    {
        _installedState = installedState;
        _machine = machine;
        _log = log;
        _frames = new FrameSource(cache, log);
        _clock = clock;
        _reports = reports;
        _diskWork = diskWork;
        _diskWork.Ended = Signal.Set;
        _self = self;
        _requestCountMax = requestCountMax;
        Durable = log.DurableEnd;
        _orders = new SwapQueue<ApplyOrder>(Signal);
        _requests = new SwapQueue<IStateMachineRequest>(Signal);
    }

    /// <inheritdoc/>
    public string Name => $"dledger-apply-{_self}";

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>Everything before it has been applied. Any thread.</summary>
    public LogPosition Applied => new(Volatile.Read(ref _appliedValue));

    /// <summary>
    /// Committed as far as this loop knows, so never behind what it has answered callers for. Any thread.
    /// </summary>
    public LogPosition Committed => new(Volatile.Read(ref _commitValue));

    /// <summary>
    /// The own log is durable up to here in its present form: what a truncation takes is not durable from the moment at
    /// which it is decided, though the disk still holds the old bytes and says so. Set by the replication loop.
    /// </summary>
    public LogPosition Durable
    {
        get => new(Volatile.Read(ref _durableValue));
        set => Volatile.Write(ref _durableValue, value.Value);
    }

    /// <summary>Where the state machine continued after its restore; null before. Any thread.</summary>
    public LogPosition? Restored => _isRestored ? _restored : null;

    /// <summary>The term in which this node serves as the leader, or <see cref="Term.Zero"/>. Any thread.</summary>
    public Term ServingTerm => new(Volatile.Read(ref _servingTermValue));

    /// <summary>Tells the loop what to do next. The replication loop only, so that the order is its order.</summary>
    public void Add(ApplyOrder order) => _orders.TryAdd(order);

    /// <summary>Queues a request; false when the inbox is full or closed. Any thread.</summary>
    public bool TryPost(IStateMachineRequest request)
    {
        if (Interlocked.Increment(ref _requestCount) <= _requestCountMax && _requests.TryAdd(request))
        {
            return true;
        }

        Interlocked.Decrement(ref _requestCount);
        return false;
    }

    /// <summary>
    /// Applies some of what is committed and serves what waits; the first turn restores the state machine. The last one
    /// follows <see cref="StopApplying"/> or a fault.
    /// </summary>
    public NextTurn Turn()
    {
        try
        {
            var next = Work();
            if (next.IsNever)
            {
                Abandon(failure: null);
            }

            return next;
        }
        catch (LogUnreadableException fault)
        {
            Abandon(fault);
            _reports.LogUnreadable(fault.Message);
            return NextTurn.Never;
        }
        catch (Exception fault)
        {
            Abandon(fault);
            _reports.ApplyFailed(fault);
            return NextTurn.Never;
        }
    }

    private NextTurn Work()
    {
        if (!_isRestored)
        {
            _restored = _machine.Restore(new RecoveredLog(_log, _installedState));
            Publish(_restored);
            KnowCommit(_restored);
            _isRestored = true;
            _reports.Restored();
        }

        TakeOrders();
        if (_stop is { } stop)
        {
            if (!stop.IsFault)
            {
                _machine.Stop();
            }

            return NextTurn.Never;
        }

        HandleRequests();
        var isBehind = ApplyFrames();
        RunTimers();
        return isBehind ? NextTurn.AtOnce : NextTurn.After(WaitMilliseconds());
    }

    private void TakeOrders()
    {
        if (!_orders.TryTakeAll(ref _takenOrders))
        {
            return;
        }

        foreach (var order in _takenOrders)
        {
            switch (order)
            {
                case CommitReached commit:
                    Invariant.Check(commit.Position >= _commitTold, $"commit {commit.Position} after {_commitTold}");
                    _commitTold = commit.Position;

                    // The state of an installed snapshot is ahead of the log, which comes back in its own time.
                    KnowCommit(LogPosition.Max(_commit, commit.Position));
                    foreach (var frame in commit.Proposed)
                    {
                        _proposed.Enqueue(frame);
                    }

                    break;
                case LeaderKnown leader:
                    ChangeLeader(leader);
                    break;
                case MaintenanceWanted:
                    _isMaintenanceOwed = true;
                    break;
                case StopApplying stop:
                    _stop = stop;
                    break;
            }
        }
    }

    private void ChangeLeader(LeaderKnown leader)
    {
        if (leader.IsSelf && _isLeading && leader.Term == _leadingTerm)
        {
            return;
        }

        _isLeading = leader.IsSelf;
        _leadingTerm = leader.Term;
        _isServing = false;
        Volatile.Write(ref _servingTermValue, 0);
        _machine.LeadershipChanged(new Leadership(leader.Term, IsServing: false, leader.Leader));
    }

    private void HandleRequests()
    {
        if (!_requests.TryTakeAll(ref _takenRequests))
        {
            return;
        }

        Interlocked.Add(ref _requestCount, -_takenRequests.Count);
        for (var i = 0; i < _takenRequests.Count; i++)
        {
            // Taken off before it is handled: should it throw, it is not abandoned a second time.
            var request = _takenRequests[i];
            _takenRequests[i] = null!;
            _machine.Handle(request);
        }
    }

    private bool ApplyFrames()
    {
        var first = _applied;
        for (var count = 0; _applied < _commit && count < FramesPerRound && _applied - first < BytesPerRound; count++)
        {
            ApplyOne();
        }

        if (_applied > first)
        {
            _isMaintenanceOwed = true;
            _reports.AppliedMoved();
        }

        return _applied < _commit;
    }

    private void ApplyOne()
    {
        var frame = ReadFrame();
        var header = frame.Header;
        Invariant.Check(frame.End <= _commit, $"frame {frame.Base} to {frame.End} crosses the commit {_commit}");
        _clock.Observe(header.LogTime);
        var isProposed = _proposed.TryPeek(out var proposed) && proposed.Base == frame.Base;
        var proposals = isProposed ? proposed.Proposals : NoProposals;
        _machine.Apply(
            new CommittedFrame(header.Summary, header.LogTime, header.RecordCount, frame.Payload, proposals));
        if (isProposed)
        {
            // Only now: when Apply throws, its proposals are failed with all others.
            _proposed.Dequeue();
        }

        Publish(frame.End);
        if ((header.Flags & FrameFlags.TermStart) != 0 && _isLeading && header.Term == _leadingTerm)
        {
            _isServing = true;
            Volatile.Write(ref _servingTermValue, _leadingTerm.Value);
            _machine.LeadershipChanged(new Leadership(_leadingTerm, IsServing: true, _self));
            _reports.ServingBegan(_leadingTerm);
        }
    }

    private CachedFrame ReadFrame()
    {
        try
        {
            return _frames.Read(_applied, _commit);
        }
        catch (DamagedFileException fault)
        {
            throw new LogUnreadableException(fault);
        }
    }

    private bool MayMaintain => _isMaintenanceOwed && !_diskWork.IsBusy;

    private void RunTimers()
    {
        var now = _clock.Monotonic();
        if (_isServing && now >= _dueAt)
        {
            var logTime = _clock.Now();
            if (_machine.NextDueLogTime <= logTime)
            {
                _dueAt = now + DueIntervalMicroseconds;
                _machine.Due(logTime);
            }
        }

        if (MayMaintain && now - _maintainedAt >= MaintainIntervalMicroseconds)
        {
            _maintainedAt = now;
            var durable = Durable;
            var work = _machine.Maintain(durable);

            // The followers may have committed what this node has not synced: then the last part comes next time. And once more when
            // the disk work has ended.
            _isMaintenanceOwed = durable < _applied || work is not null;
            if (work is not null)
            {
                _diskWork.Begin(work);
            }
        }
    }

    private int WaitMilliseconds()
    {
        var wait = long.MaxValue;
        var now = _clock.Monotonic();
        if (MayMaintain)
        {
            wait = Math.Max(0, _maintainedAt + MaintainIntervalMicroseconds - now);
        }

        if (_isServing && _machine.NextDueLogTime != long.MaxValue)
        {
            var untilDue = Math.Max(_machine.NextDueLogTime - _clock.Now(), _dueAt - now);
            wait = Math.Min(wait, Math.Max(0, untilDue));
        }

        // Rounded up: waking a fraction of a millisecond early would only spin.
        return wait == long.MaxValue ? -1 : (int)Math.Min(int.MaxValue, (wait + 999) / 1000);
    }

    private void Abandon(Exception? failure)
    {
        var unknown = new ProposalFailure(
            ProposalFailureKind.OutcomeUnknown,
            NodeId.None,
            failure is null ? "the node stopped before the result was known" : "the node failed");
        TakeOrdersForAbandoning();
        foreach (var frame in _proposed)
        {
            foreach (var proposal in frame.Proposals)
            {
                proposal.Fail(unknown);
            }
        }

        var stopping = unknown with { Kind = ProposalFailureKind.Stopping };
        foreach (var request in _takenRequests.Where(request => request is not null).Concat(_requests.Close()))
        {
            request.Abandon(stopping);
        }
    }

    private void TakeOrdersForAbandoning()
    {
        foreach (var order in _orders.Close())
        {
            if (order is CommitReached commit)
            {
                foreach (var frame in commit.Proposed)
                {
                    _proposed.Enqueue(frame);
                }
            }
        }
    }

    private void KnowCommit(LogPosition commit)
    {
        _commit = commit;
        Volatile.Write(ref _commitValue, commit.Value);
    }

    private void Publish(LogPosition applied)
    {
        _applied = applied;
        Volatile.Write(ref _appliedValue, applied.Value);
    }
}
