using Dledger.Primitives;
using Dledger.Raft.Peers;
using Dledger.Replication.Applying;
using Dledger.Replication.Bootstrapping;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Installing;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Replication.Repairing;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Driving;

/// <summary>
/// The phases of a node: founding or joining a cluster, opening the log, restoring the state machine, taking part. A node whose log is
/// damaged mends it with frames of the others first; when that cannot be done it sits out.
/// </summary>
internal sealed class NodeLife : ILoop
{
    private readonly LifeSurroundings _around;
    private readonly ReplicationOptions _options;
    private readonly LoopInbox _inbox;
    private Func<NextTurn> _phase;
    private GenesisFounder? _founder;
    private CommitLogRecovery? _recovery;
    private RunningParts? _parts;
    private ReplicationLoop? _loop;
    private LogRepairer? _repairer;
    private SnapshotManifest? _install;
    private List<LoopEvent> _events = [];
    private LogPosition? _repairedFrom;
    private bool _verifiesAll;
    private bool _isTransportStarted;
    private volatile bool _isClosed;
    private bool _isClosedInTime;
    private bool _isStopRequested;
    private bool _isStateLost;

    public NodeLife(LifeSurroundings around)
    {
        _around = around;
        _options = around.Options;
        _inbox = around.Inbox;
        _phase = around.Storage.Meta.Current.Genesis is null ? BeginFounding : Open;
    }

    /// <inheritdoc/>
    public string Name => $"dledger-replication-{_options.Self}";

    /// <inheritdoc/>
    public WakeSignal Signal => _inbox.Signal;

    /// <inheritdoc/>
    public NextTurn Turn()
    {
        try
        {
            var next = _phase();
            if (!next.IsNever)
            {
                return next;
            }
        }
        catch (Exception fault)
        {
            _around.Fail("the replication loop failed", fault);
        }

        Abandon();
        return NextTurn.Never;
    }

    private NextTurn BeginFounding()
    {
        _founder = new GenesisFounder(
            _options, _around.Storage.Meta, _around.Ids, _inbox, _around.Transport, PublishFresh, _around.Logger);
        ReplicationEvents.BootstrapWaits(_around.Logger, _options.Self);
        PublishFresh("no cluster yet");
        StartTransport();
        _phase = Found;
        return NextTurn.AtOnce;
    }

    private NextTurn Found()
    {
        switch (_founder!.Turn())
        {
            case Founding.Stopped:
                return NextTurn.Never;
            case Founding.Done:
                _phase = Open;
                return NextTurn.AtOnce;
            default:
                return NextTurn.WhenWoken;
        }
    }

    private NextTurn Open()
    {
        _around.Gate.Admit(_around.Storage.Meta.Current.Genesis!);
        FinishInstall();
        _recovery = _around.Storage.OpenLog(_around.Time, _verifiesAll);
        if (_recovery.Damage is { } damage)
        {
            ReplicationEvents.DamageFound(_around.Logger, damage.Position, damage.Reason);
            _phase = BeginRepair(_recovery, damage);
            StartTransport();
            return NextTurn.AtOnce;
        }

        if (_recovery.TornTail)
        {
            ReplicationEvents.TornTailCut(_around.Logger, _recovery.Tail.End);
        }

        _verifiesAll = false;
        StartParts(_recovery);
        _phase = Restore;
        return NextTurn.AtOnce;
    }

    private void FinishInstall()
    {
        try
        {
            if (_around.Storage.FinishInstall() is { } installed)
            {
                ReplicationEvents.SnapshotInstalled(_around.Logger, installed.Applied, installed.LogStart.End);
            }
        }
        catch (DamagedFileException fault)
        {
            // What was staged has rotted since it was verified.
            Rebuild($"a snapshot cannot be installed: {fault.Message}");
        }
    }

    // Only other nodes can help, and only in one way: what was mended and is damaged again is a broken disk.
    private Func<NextTurn> BeginRepair(CommitLogRecovery recovery, LogDamage damage)
    {
        var reason = $"log corrupt at {damage.Position}: {damage.Reason}";
        _around.Storage.CloseLog();
        if (OtherNodes().Count == 0 || _repairedFrom == damage.Position || !damage.IsOwnLoss)
        {
            ReplicationEvents.NodeUnavailable(_around.Logger, _options.Self, reason);
            PublishRepairing(reason);
            return SitOut;
        }

        _repairedFrom = damage.Position;
        if (recovery.Repair is not { } repair)
        {
            Rebuild(reason);
            return Open;
        }

        if (recovery.DamagedRanges.Any(range => range.To is null))
        {
            // Nobody knows how far the log went: more may be gone than comes back.
            _around.Storage.NoteLoss();
        }

        _repairer = new LogRepairer(
            repair, MakeFetcher(answer => _inbox.TryAdd(new RangeAnswered(answer))), _around.Clock, _around.Logger);
        PublishRepairing($"{reason}; {_repairer.Progress}");
        return Repair;
    }

    private void Rebuild(string reason)
    {
        ReplicationEvents.LogGivenUp(_around.Logger, _options.Self, reason);
        _around.Storage.Rebuild();
        PublishRepairing(reason);
    }

    private NextTurn Repair()
    {
        if (_inbox.TryTakeEvents(ref _events))
        {
            foreach (var answered in _events.OfType<RangeAnswered>())
            {
                _repairer!.Receive(answered.Answer);
            }

            if (_inbox.Discard(_events, "this node takes no part at present"))
            {
                return NextTurn.Never;
            }
        }

        PublishRepairing($"the log is damaged and comes back from the other nodes: {_repairer!.Progress}");
        if (_repairer.IsHopeless)
        {
            Rebuild($"no other node has what is missing: {_repairer.Progress}");
        }
        else if (!_repairer.IsComplete)
        {
            return _repairer.Turn();
        }

        // The peers know this node as one that repairs itself; a new Hello on each connection tells them.
        _around.Transport.CloseAll("the log is whole again");
        _repairer = null;
        _verifiesAll = true;
        _phase = Open;
        return NextTurn.AtOnce;
    }

    private void StartParts(CommitLogRecovery recovery)
    {
        var log = recovery.Log!;
        var cache = new TailCache(recovery.Tail.End, _options.TailCacheBytesMax);
        var writer = new LogWriter(
            log,
            _around.Storage.Meta,
            _around.Clock,
            _options.FlushMode,
            _around.WriterReports,
            $"dledger-writer-{_options.Self}");
        var diskWork = new DiskWorkLoop($"dledger-checkpoint-{_options.Self}", _around.ApplyReports.ApplyFailed);
        _parts = new RunningParts(
            log,
            cache,
            writer,
            new ApplyLoop(
                _around.Machine,
                log,
                cache,
                _around.Clock,
                _around.ApplyReports,
                diskWork,
                _options.Self,
                _options.WaitingRequestCountMax,
                _around.Storage.Meta.Current.InstalledApplied),
            diskWork,
            new ScrubLoop(
                log,
                writer,
                _around.Clock,
                MakeFetcher,
                _around.ScrubReports,
                _options,
                _around.Logger),
            new SnapshotLoop(
                _around.Storage.Disk,
                _options,
                _around.Transport,
                _around.Clock,
                _around.SnapshotReports,
                _around.Logger),
            new RangeReader(log, cache, _around.Clock, _options, frames => _inbox.TryAdd(new RangeWasRead(frames))),
            new DiskWatch(_around.Storage.Disk, _options, _around.Logger));
        _around.PartsMade(_parts);
        _parts.Start(_around.Host);
    }

    // The apply loop restores the state machine; what comes meanwhile waits in the inbox.
    private NextTurn Restore()
    {
        if (_around.Faults.IsSet)
        {
            return NextTurn.Never;
        }

        if (_parts!.Apply.Restored is not { } restored)
        {
            return NextTurn.WhenWoken;
        }

        if (restored < _parts.Log.Start)
        {
            _isStateLost = true;
            BeginClosing($"no state checkpoint is usable, and the log begins at {_parts.Log.Start}");
            StartTransport();
            return NextTurn.AtOnce;
        }

        _loop = new ReplicationLoop(new LoopSurroundings
        {
            Options = _options,
            Metadata = _around.Storage.Meta.Current,
            Recovery = _recovery!,
            Log = _parts.Log,
            Cache = _parts.Cache,
            Addresses = _around.Addresses,
            Writer = _parts.Writer,
            Apply = _parts.Apply,
            Transport = _around.Transport,
            Inbox = _inbox,
            Clock = _around.Clock,
            Faults = _around.Faults,
            Logger = _around.Logger,
            Seed = _around.Seed ^ (ulong)_options.Self.Value,
            Restored = restored,
            OpenSessions = TakeOpenSessions(),
            Damaged = _parts.Scrub.DamageMet,
            Snapshots = _parts.Snapshots,
            Reader = _parts.Reader,
            Disk = _parts.Disk,
            CloseIdleSnapshots = _around.CloseIdleSnapshots,
            Publish = _around.Publish,
        });
        _parts.Loop = _loop;
        _loop.Publish();
        StartTransport();
        _phase = TakePart;
        return NextTurn.AtOnce;
    }

    // Sessions of the founding, for the first loop only: a later one gets new connections.
    private IReadOnlyList<OutboundOpened> TakeOpenSessions()
    {
        var sessions = _founder?.OpenSessions ?? [];
        _founder = null;
        return sessions;
    }

    private NextTurn TakePart()
    {
        NextTurn next;
        try
        {
            next = _loop!.Turn();
        }
        catch (LogUnreadableException fault)
        {
            // In the middle of a step of the core, which is made anew with the log.
            _install = _loop!.Install;
            BeginClosing(fault.Message);
            return NextTurn.AtOnce;
        }

        if (_loop.ReopenReason is { } reason && !next.IsNever)
        {
            _install = _loop.Install;
            BeginClosing(reason);
        }

        return next;
    }

    // In the order of a stop, but the transport and the directory stay: the node comes back in a moment.
    private void BeginClosing(string reason)
    {
        ReplicationEvents.LogReopened(_around.Logger, _options.Self, reason);
        PublishRepairing(reason);
        _loop?.Abandon(reason);
        _loop = null;
        _around.PartsMade(null);
        _isClosed = false;
        _ = CloseAsync(_parts!);
        _parts = null;
        _phase = Close;

        async Task CloseAsync(RunningParts parts)
        {
            _isClosedInTime = await parts.StopAsync(isFault: true);
            _isClosed = true;
            _inbox.Signal.Set();
        }
    }

    private NextTurn Close()
    {
        // Looked at before the events: what the old loops reported must not reach the next core.
        var isClosed = _isClosed;
        if (_inbox.TryTakeEvents(ref _events))
        {
            _isStopRequested |= _inbox.Discard(_events, "this node takes no part at present");
        }

        if (!isClosed)
        {
            return NextTurn.WhenWoken;
        }

        Invariant.Check(_isClosedInTime, "the loops of a log that is opened anew end");
        _around.Storage.CloseLog();
        if (_isStopRequested)
        {
            return NextTurn.Never;
        }

        _around.Transport.CloseAll("this node opens its log anew");
        _verifiesAll = _install is null;
        if (_install is { } manifest)
        {
            _install = null;
            _around.Storage.BeginInstall(manifest);
        }

        _phase = Open;
        if (_isStateLost)
        {
            // What the log no longer holds is in no checkpoint either: a snapshot of another node is the only way.
            _isStateLost = false;
            if (OtherNodes().Count == 0)
            {
                _phase = SitOut;
            }
            else
            {
                Rebuild("the state before the beginning of the log is lost");
            }
        }

        return NextTurn.AtOnce;
    }

    private NextTurn SitOut()
    {
        if (!_inbox.TryTakeEvents(ref _events))
        {
            return NextTurn.WhenWoken;
        }

        return _inbox.Discard(_events, "this node takes no part at present") ? NextTurn.Never : NextTurn.AtOnce;
    }

    private List<NodeId> OtherNodes() =>
        [.. _around.Addresses.Nodes.Where(node => node != _options.Self)];

    private RangeFetcher MakeFetcher(Action<RangeAnswer> deliver) => new(_around.Transport, OtherNodes(), deliver);

    private void PublishRepairing(string reason)
    {
        var meta = _around.Storage.Meta.Current;

        // From the first Hello on: a leader must not go on counting what this node acknowledged before.
        var state = meta.LossFlag ? PeerState.Loss : PeerState.Repairing;
        _around.Publish(NodePicture.Unavailable(meta.ClusterId, state, meta.Term, reason));
    }

    private void StartTransport()
    {
        if (!_isTransportStarted)
        {
            _isTransportStarted = true;
            _around.Transport.Start(_options.Self, _options.Members, _around.Gate);
        }
    }

    private void PublishFresh(string reason) => _around.Publish(
        NodePicture.Unavailable(Guid.Empty, PeerState.Fresh, _around.Storage.Meta.Current.Term, reason));

    private void Abandon()
    {
        var (events, proposals) = _inbox.Close();
        foreach (var proposal in proposals)
        {
            proposal.Fail(new ProposalFailure(ProposalFailureKind.Stopping, NodeId.None, "the node has stopped"));
        }

        foreach (var item in events)
        {
            item.Refuse("the node has stopped");
        }

        _loop?.Abandon(_around.Faults.Reason ?? "the node has stopped");
    }
}
