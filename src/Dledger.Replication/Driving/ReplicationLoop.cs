using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.Applying;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Replication.Peers;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Driving;

/// <summary>
/// Drives RaftCore: events and proposals in, effects out to the writer, the peers and the apply loop.
/// </summary>
/// <remarks>
/// A loop that owns the core, the frame cutting, the tail cache's content and the proposals on their way.
/// It never waits for a disk or a socket. Each turn drains the inbox before it looks at the timers (raft-and-storage.md
/// 2.13).
/// </remarks>
internal sealed class ReplicationLoop
{
    private const int OutstandingWritesMax = 2;
    private const int TicksPerTurnMax = 10_000;
    private const long WaitMax = 1_000_000;

    private static readonly IReadOnlyList<ReadOnlyMemory<byte>> NoRange = [];
    private static readonly TimeSpan DrainPatience = TimeSpan.FromMilliseconds(200);

    private readonly LoopSurroundings _around;
    private readonly ReplicationOptions _options;
    private readonly RaftCore _core;
    private readonly LogClock _clock;
    private readonly LogWriter _writer;
    private readonly LocalLog _log;
    private readonly LogBeginning _beginning;
    private readonly HandOver _handOver;
    private readonly ApplyLoop _apply;
    private readonly LoopInbox _inbox;
    private readonly WaitingProposals _proposals;
    private readonly LeadershipQuestions _questions;
    private readonly PeerSessions _sessions;
    private readonly MembershipDriver _membership;
    private readonly Dictionary<long, Term> _metadataTerms = [];
    private readonly List<ReadOnlyMemory<byte>> _records = [];
    private List<LoopEvent> _events = [];
    private NodeMetadata _metadata;
    private Term _durableTerm;
    private long _steppedBytes;
    private long? _syncPending;
    private LogPosition _appliedTold;
    private bool _isStarted;

    public ReplicationLoop(LoopSurroundings around)
    {
        _around = around;
        _options = around.Options;
        _clock = around.Clock;
        _writer = around.Writer;
        _apply = around.Apply;
        _inbox = around.Inbox;
        _metadata = around.Metadata;
        _durableTerm = around.Metadata.Term;
        _log = new LocalLog(around);
        var end = around.Recovery.Tail.End;
        _proposals = new WaitingProposals(around.Inbox);
        var commit = LogPosition.Min(end, LogPosition.Max(around.Restored, around.Recovery.CommitHint));
        var view = new RaftLogView(around.Cache, around.Log);
        _core = CoreStart.Create(around, view, commit);
        _beginning = new LogBeginning(around, _core, view, _log);
        _handOver = new HandOver(_core);
        _questions = new LeadershipQuestions(_core, _options.Self);
        _sessions = new PeerSessions(_options.Self, _metadata.Genesis!, _core, around.Transport);
        _membership = new MembershipDriver(around, _core, _log, _sessions);
        if (commit > around.Restored)
        {
            _apply.Add(new CommitReached(commit, []));
        }

        ReplicationEvents.NodeStarted(
            around.Logger, _options.Self, _metadata.ClusterId, _metadata.Term, end, commit);
    }

    /// <summary>Why the log has to be opened anew; null while the loop may go on.</summary>
    public string? ReopenReason { get; private set; }

    /// <summary>The staged snapshot that shall take the place of the log; null when the log is only opened anew.</summary>
    public SnapshotManifest? Install { get; private set; }

    /// <summary>The metadata with term and vote as last handed to the writer; for the orderly stop.</summary>
    public NodeMetadata Metadata => _metadata;

    /// <summary>
    /// Handles what has come and what is due. The last turn follows a fault, or a requested stop once leadership was
    /// handed over or the patience ended.
    /// </summary>
    /// <exception cref="Exception">Any: the node must end its service.</exception>
    public NextTurn Turn()
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _membership.Start();
            foreach (var session in _around.OpenSessions)
            {
                _sessions.Opened(_clock.Monotonic(), session, _durableTerm);
            }
        }

        Work();
        if (ReopenReason is not null && !_handOver.IsStopping)
        {
            // The others need not wait for a timeout.
            _core.Resign(_clock.Monotonic());
            ExecuteEffects();
            return NextTurn.AtOnce;
        }

        if (!_handOver.MayEnd(_clock.Monotonic()) && !_around.Faults.IsSet)
        {
            return NextTurn.After(WaitMilliseconds());
        }

        if (_handOver.IsGraceful && !_around.Faults.IsSet)
        {
            _core.Resign(_clock.Monotonic());
            ExecuteEffects();
            _around.Transport.Drain(DrainPatience);
        }

        return NextTurn.Never;
    }

    /// <summary>Fails everything that still waits; called once after the last turn in whatever way.</summary>
    public void Abandon(string detail)
    {
        _handOver.Abandon();
        _membership.Stop(new MembershipOutcome(MembershipOutcomeKind.Unknown, detail, NodeId.None));
        _proposals.FailAll(ProposalFailureKind.Stopping, NodeId.None, detail);
        _questions.FailAll(ProposalFailureKind.Stopping, NodeId.None, detail);
    }

    private void Work()
    {
        if (_inbox.TryTakeEvents(ref _events))
        {
            foreach (var item in _events)
            {
                Handle(_clock.Monotonic(), item);
                ExecuteEffects();
            }
        }

        _proposals.TakeArrived();
        TellProgress();
        RunTimers();
        _membership.Turn(_clock.Monotonic());
        ExecuteEffects();
        CutFrames();
        _log.Evict();
        RefuseProposals();
        Publish();
        _clock.Reanchor();
        _around.CloseIdleSnapshots();
        _inbox.ReleaseReceived(_steppedBytes, _core.End - _log.OnDisk);
        _steppedBytes = 0;
    }

    private void Handle(long now, LoopEvent item)
    {
        switch (item)
        {
            case MessageArrived arrived:
                Receive(now, arrived.Message);
                break;
            case LogSynced synced:
                _log.Synced(synced, isCurrent: synced.Generation == _core.Generation);
                _core.LogDurable(now, synced.Position, synced.Generation);
                _apply.Durable = _core.Durable;
                if (_metadata.InstalledApplied < _core.Durable)
                {
                    // Told to the disk with the next change of the metadata: the log itself says it now.
                    _metadata = _metadata with { InstalledApplied = null };
                }

                break;
            case MetadataSynced synced:
                if (_metadataTerms.Remove(synced.Version, out var term))
                {
                    _durableTerm = term;
                }

                _core.MetaDurable(now, synced.Version);
                break;
            case OutboundOpened opened:
                _sessions.Opened(now, opened, _durableTerm);
                break;
            case OutboundClosed closed:
                _sessions.Closed(now, closed);
                break;
            case DialWasRefused refused:
                _sessions.Refused(refused);
                break;
            case InboundClosed closed:
                _core.InboundSessionClosed(now, closed.Peer, closed.Session, closed.Reason);
                break;
            case TransferRequested transfer:
                _handOver.Begin(now, transfer);
                break;
            case LogReleased released:
                _beginning.Release(released.Below);
                break;
            case SnapshotReady ready:
                if (_beginning.MayInstall(ready.Manifest))
                {
                    Install = ready.Manifest;
                    ReopenReason ??= $"a snapshot at {ready.Manifest.Applied} is being installed";
                }

                break;
            case RangeWasRead range:
                TakeRead(now, range.Frames);
                break;
            case ReopenRequested reopen:
                ReopenReason ??= reopen.Reason;
                break;
            case MembershipRequested request:
                _membership.Ask(now, request);
                break;
            case LeadershipAsked question:
                _questions.Ask(now, question);
                break;
            case DrainRequested drain:
                ReplicationEvents.Drained(_around.Logger, _options.Self, drain.IsDrained);
                _core.Drain(now, drain.IsDrained);
                drain.Completion.TrySetResult(true);
                break;
            case StopRequested stop:
                _handOver.Stop(now, stop);
                break;
        }
    }

    private void Receive(long now, PeerMessage message)
    {
        if (message is AppendRequest append)
        {
            _steppedBytes += append.Bytes.Length;
        }

        if (message is GenesisOffer)
        {
            // The sender met this node before it was a member; on a new connection it learns better.
            _around.Transport.Close(message.From, message.Session, "this node is a member already");
            return;
        }

        _core.Receive(now, message);
    }

    private void TellProgress()
    {
        var syncPending = _writer.BusySince;
        if (syncPending != _syncPending)
        {
            _syncPending = syncPending;
            _core.SyncPending(_clock.Monotonic(), syncPending);
            ExecuteEffects();
        }

        var applied = _apply.Applied;
        if (applied != _appliedTold)
        {
            _appliedTold = applied;
            _core.Applied(applied);
        }

        if (_around.Disk.UsedPercent is { } used)
        {
            _core.DiskUsed(used);
        }
    }

    private void RunTimers()
    {
        var now = _clock.Monotonic();
        for (var count = 0; _core.NextDeadline <= now && !_around.Faults.IsSet; count++)
        {
            // The core steps one deferred request per tick, so a few thousand in a row are in order.
            Invariant.Check(count < TicksPerTurnMax, $"ticks at {now} do not move the deadline {_core.NextDeadline}");
            _core.Tick(now);
            ExecuteEffects();
        }
    }

    // A frame is cut at once while the writer has room for it, so nothing lingers; under load what arrives during a
    // sync makes up the next frame (raft-and-storage.md 2.14).
    private void CutFrames()
    {
        while (_proposals.HasWaiting
            && !_handOver.IsStopping
            && !_around.Faults.IsSet
            && _core.CanPropose
            && _core.Commit - _apply.Applied <= _options.UnappliedBytesMax
            && (_log.OutstandingWrites < OutstandingWritesMax || _proposals.WaitingBytes >= _options.FrameBytesTarget))
        {
            _records.Clear();
            var proposals = _proposals.TakeForFrame(_options.FrameBytesTarget, _records);
            var summary = _log.Cut(FrameFlags.None, _core.Term, _core.Commit, _records);
            _proposals.AddInFlight(summary, proposals);
            _core.FrameAppended(_clock.Monotonic(), summary);
            ExecuteEffects();
        }
    }

    private void RefuseProposals()
    {
        if (!_proposals.HasWaiting)
        {
            return;
        }

        if (_handOver.IsStopping)
        {
            _proposals.FailWaiting(ProposalFailureKind.Stopping, _core.Leader, "the node is stopping");
        }
        else if (_core.Role != RaftRole.Leader)
        {
            _proposals.FailWaiting(ProposalFailureKind.NotLeader, _core.Leader, "this node does not lead");
        }
    }

    private void ExecuteEffects()
    {
        while (_core.Effects.TryTake(out var effect))
        {
            // After the first failed write or sync no promise leaves any more (I32).
            if (_around.Faults.IsSet)
            {
                return;
            }

            Execute(effect);
        }
    }

    private void Execute(RaftEffect effect)
    {
        switch (effect)
        {
            case Send send:
                Dispatch(send);
                break;
            case WriteRange write:
                _log.Write(write);
                break;
            case CommitTo commit:
                Commit(commit.Position);
                break;
            case PersistMeta meta:
                _metadata = _metadata with
                {
                    Term = meta.Term,
                    VotedFor = meta.VotedFor,
                    LossFlag = meta.HasLoss,
                    ConfigurationFloor = meta.ConfigurationFloor,
                };
                _metadataTerms[meta.Version] = meta.Term;
                _writer.Add(new WriteMetadata(meta.Version, _metadata));
                break;
            case CutTermStart:
                var opening = _log.Cut(FrameFlags.TermStart, _core.Term, _core.Commit, [TermStartRecord()]);
                _core.FrameAppended(_clock.Monotonic(), opening);
                break;
            case CutConfiguration cut:
                _membership.Cut(cut);
                break;
            case ConfigurationChanged changed:
                _membership.Changed(changed);
                break;
            case ConfigurationChangeFinished finished:
                _membership.Finished(finished);
                break;
            case TruncateTo cut:
                ReplicationEvents.LogTruncated(_around.Logger, cut.Position);
                _log.Truncate(cut.Position);

                // Before the apply loop learns of a commit behind the cut: it must not take the old bytes for the new ones.
                _apply.Durable = LogPosition.Min(_apply.Durable, cut.Position);
                break;
            case RoleChanged role:
                ChangeRole(role);
                break;
            case ReadRange read:
                _around.Reader.Read(read);
                break;
            case SnapshotNeeded needed:
                _around.Snapshots.Want(needed.Leader);
                break;
            case CloseSession close:
                _around.Transport.Close(close.Peer, close.Session, close.Reason);
                break;
            case LeadershipConfirmed confirmed:
                _questions.Confirmed(confirmed.Request);
                break;
            case TransferFinished finished:
                ReplicationEvents.TransferEnded(_around.Logger, finished.IsSuccess);
                _handOver.Finished(finished.IsSuccess);
                break;
            case Halt halt:
                throw new InvariantViolationException(halt.Reason);
            default:
                throw new InvariantViolationException($"unknown effect {effect.GetType().Name}");
        }
    }

    private void Dispatch(Send send)
    {
        var range = send.Message is AppendRequest { IsEmpty: false } append ? _log.RangeOf(append) : NoRange;
        if (range is not null)
        {
            _around.Transport.Send(send.Peer, send.Message, range);
            return;
        }

        // On a new connection the peer says what it needs.
        _around.Transport.Close(send.Peer, send.Message.Session, "what was to be sent is not in memory any more");
    }

    private void TakeRead(long now, ReadFrames read)
    {
        var request = read.Request;
        if (read.Bytes.IsEmpty && request.From >= _beginning.Start)
        {
            // The peer gets it on a new connection, when it has been mended.
            _around.Damaged(request.From);
            _around.Transport.Close(request.Peer, request.Session, $"the own log cannot be read at {request.From}");
            return;
        }

        if (_core.RangeRead(now, request.Peer, request.Number, read.End, read.HeaderCrc))
        {
            _log.Keep(read);
        }
    }

    private byte[] TermStartRecord()
    {
        Span<byte> body = stackalloc byte[20];
        BitConverter.TryWriteBytes(body, _options.Self.Value);
        _metadata.StorageId.TryWriteBytes(body[4..]);
        return RecordEncoder.Encode(new RecordFields { Kind = RecordKind.TermStart }, [], [], body);
    }

    private void Commit(LogPosition position)
    {
        _apply.Add(new CommitReached(position, _proposals.TakeCommitted(position)));
        _log.Committed(position);
    }

    private void ChangeRole(RoleChanged role)
    {
        ReplicationEvents.RoleChanged(_around.Logger, _options.Self, role.Role, role.Term, role.Leader);
        var isLeader = role.Role == RaftRole.Leader;
        _apply.Add(new LeaderKnown(role.Term, role.Leader, isLeader));

        // Before proposals fail: whoever hears of it and asks for the status sees the new leader, not this node.
        Publish();
        if (_options.InstallsEverySnapshot && !isLeader && role.Leader != NodeId.None)
        {
            _around.Snapshots.Want(role.Leader);
        }

        if (!isLeader)
        {
            _log.ForgetReads();
            _proposals.FailAll(ProposalFailureKind.NotLeader, role.Leader, "leadership was lost");
            _questions.FailAll(ProposalFailureKind.NotLeader, role.Leader, "leadership was lost");
        }
    }

    private int WaitMilliseconds()
    {
        var now = _clock.Monotonic();
        var deadline = Math.Min(Math.Min(_core.NextDeadline, _membership.NextDeadline), now + WaitMax);
        deadline = _handOver.IsStopping ? Math.Min(deadline, _handOver.StopDeadline) : deadline;
        return (int)Math.Max(0, (deadline - now + 999) / 1000);
    }

    /// <summary>Publishes what the node looks like now.</summary>
    public void Publish() => _around.Publish(new NodePicture
    {
        Role = NodePicture.RoleOf(_core.Role),
        ClusterId = _metadata.ClusterId,
        State = _core.HasLoss ? PeerState.Loss : PeerState.Normal,
        Term = _core.Term,
        DurableTerm = _durableTerm,
        Leader = _core.Leader,
        LastTerm = _log.LastTerm,
        Start = _beginning.Start,
        SnapshotAttachment = _beginning.Attachment,
        Commit = _core.Commit,
        End = _core.End,
        Durable = _core.Durable,
        Peers = NodePicture.PeersOf(_core, _clock.Monotonic()),
        Members = _membership.Members,
        IsMember = _membership.IsMember,
        IsDrained = _core.IsDrained,
        UnavailableReason = _core.PassiveReason,
        IsStopping = _handOver.IsStopping,
    });
}
