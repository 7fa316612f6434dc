using Dledger.Primitives;
using Dledger.Raft.Peers;
using Dledger.Replication.Applying;
using Dledger.Replication.Bootstrapping;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Driving;

/// <summary>
/// The phases of a node: founding or joining a cluster, opening the log, restoring the state machine, taking part. A node
/// whose log is damaged sits out instead.
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
    private List<LoopEvent> _events = [];
    private bool _isTransportStarted;

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
        _recovery = _around.Storage.OpenLog(_around.Time);
        if (_recovery.Damage is { } damage)
        {
            var reason = $"log corrupt at {damage.Position}: {damage.Reason}";
            ReplicationEvents.NodeUnavailable(_around.Logger, _options.Self, reason);
            var meta = _around.Storage.Meta.Current;
            _around.Publish(NodePicture.Unavailable(meta.ClusterId, PeerState.Repairing, meta.Term, reason));
            StartTransport();
            _phase = SitOut;
            return NextTurn.AtOnce;
        }

        if (_recovery.TornTail)
        {
            ReplicationEvents.TornTailCut(_around.Logger, _recovery.Tail.End);
        }

        StartParts(_recovery);
        _phase = Restore;
        return NextTurn.AtOnce;
    }

    private void StartParts(CommitLogRecovery recovery)
    {
        var log = recovery.Log!;
        var cache = new TailCache(recovery.Tail.End, _options.TailCacheBytesMax);
        _parts = new RunningParts(
            log,
            cache,
            new LogWriter(
                log,
                _around.Storage.Meta,
                _around.Clock,
                _options.FlushMode,
                _around.WriterReports,
                $"dledger-writer-{_options.Self}"),
            new ApplyLoop(
                _around.Machine,
                log,
                cache,
                _around.Clock,
                _around.ApplyReports,
                _options.Self,
                _options.WaitingRequestCountMax));
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
            OpenSessions = _founder?.OpenSessions ?? [],
            Publish = _around.Publish,
        });
        _parts.Loop = _loop;
        _loop.Publish();
        StartTransport();
        _phase = _loop.Turn;
        return NextTurn.AtOnce;
    }

    private NextTurn SitOut()
    {
        if (!_inbox.TryTakeEvents(ref _events))
        {
            return NextTurn.WhenWoken;
        }

        _events.ForEach(item => item.Refuse("this node takes no part"));
        return _events.OfType<StopRequested>().Any() ? NextTurn.Never : NextTurn.AtOnce;
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
