using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Elections;
using Dledger.Raft.Leaders;
using Dledger.Raft.Logs;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;

namespace Dledger.Raft;

/// <summary>
/// One node of one Raft group as a pure state machine: an event and the time go in, effects come out. No clock, thread,
/// task, I/O or logger; every decision is a function of state, event, time and seed.
/// </summary>
/// <remarks>
/// <para>
/// The log is addressed by byte: what the paper calls an index is a <see cref="LogPosition"/> at the end of a frame.
/// Departures from the paper are listed in DIVERGENCE.md beside this file.
/// </para>
/// <para>
/// Owned by the replication loop. After every call the driver takes all <see cref="Effects"/> and executes them in order. Times
/// are microseconds of one monotonic clock. The driver drains its inbox before it calls <see cref="Tick"/>, and calls it
/// whenever <see cref="NextDeadline"/> has come.
/// </para>
/// <para>
/// A message or write that depends on something durable is kept back until <see cref="MetaDurable"/> or
/// <see cref="LogDurable"/> says so. A broken rule of ours throws <see cref="InvariantViolationException"/>; a proof that two
/// logs contradict each other is the effect <see cref="Halt"/>. Both end the node.
/// </para>
/// <para>
/// Members change by <see cref="ChangeConfiguration"/>. What the driver owes for that (frames with a configuration, connections, the
/// fields of the meta file and of the boot) is listed at the end of DIVERGENCE.md.
/// </para>
/// </remarks>
public sealed class RaftCore
{
    // A leader window of small requests fits; more are dropped, and the leader's next heart-beat finds the gap.
    private const int DeferredCountMax = 1024;
    private const long DrainRetryDelay = 5_000_000;

    private readonly RaftState _state;
    private readonly Election _election;
    private readonly FollowerLog _follower;
    private readonly Leadership _leadership;
    private readonly Transfer _transfer;
    private readonly Reconfiguration _reconfiguration;
    private readonly Queue<AppendRequest> _deferred = new();
    private long _expectedAt = long.MaxValue;
    private long _stallTransferAt;
    private long _drainTransferAt;
    private bool _isStarted;

    /// <summary>A core over a recovered log.</summary>
    /// <param name="options">Timings, limits and the own identity.</param>
    /// <param name="boot">What recovery found.</param>
    /// <param name="view">Questions about the frames of the log.</param>
    /// <param name="seed">Randomness of the timers; different on each node.</param>
    public RaftCore(RaftOptions options, RaftBoot boot, IRaftLogView view, ulong seed)
    {
        _state = new RaftState(options, boot, view, seed);
        _election = new Election(_state);
        _follower = new FollowerLog(_state);
        _leadership = new Leadership(_state);
        _transfer = new Transfer(_state);
        _reconfiguration = new Reconfiguration(_state);
    }

    public RaftRole Role => _state.Role;

    /// <summary>The present term; never decreases.</summary>
    public Term Term => _state.Term;

    /// <summary>Who got the vote of this term.</summary>
    public NodeId VotedFor => _state.VotedFor;

    /// <summary>The leader of this term as far as known; none after its connection was reset.</summary>
    public NodeId Leader => _state.Leader;

    /// <summary>Committed up to here; monotone in one process life. <c>Commit &lt;= Verified &lt;= End</c>.</summary>
    public LogPosition Commit => _state.Log.Commit;

    /// <summary>End of the local log, written or not.</summary>
    public LogPosition End => _state.Log.End;

    /// <summary>Synced up to here. <c>Durable &lt;= End</c>; commit may be beyond it.</summary>
    public LogPosition Durable => _state.Log.Durable;

    /// <summary>Known to equal the log of the present leader.</summary>
    public LogPosition Verified => Role == RaftRole.Leader ? End : _follower.Verified;

    /// <summary>On a leader: where the first frame of its term begins.</summary>
    public LogPosition? TermStart => _leadership.TermStart;

    /// <summary>The present write generation.</summary>
    public uint Generation => _state.Log.Generation;

    /// <summary>The terms of the local log.</summary>
    public EpochTable Epochs => _state.Log.Epochs;

    /// <summary>Why this node is <see cref="RaftRole.Passive"/>.</summary>
    public string? PassiveReason => _state.PassiveReason;

    /// <summary>Why the core stopped for good; null while it runs.</summary>
    public string? HaltReason => _state.HaltReason;

    /// <summary>The other members; match positions and contacts mean something only while this node leads. Makes a copy.</summary>
    public IReadOnlyList<PeerProgress> Peers => _state.Peers.ToProgress(Configuration);

    /// <summary>The configuration in force here: the newest of the local log, committed or not.</summary>
    public Configuration Configuration => _state.Configuration;

    /// <summary>
    /// All configurations of the local log that are known, oldest first: what a checkpoint at a position has to keep is the last one
    /// before it. Owned by the core.
    /// </summary>
    public IReadOnlyList<ConfigurationEntry> Configurations => _state.Log.Configurations.Entries;

    /// <summary>The newest committed configuration.</summary>
    public ConfigurationEntry CommittedConfiguration => _state.Log.Committed;

    /// <summary>Whether this node, with its present storage, is a voter in the configuration in force.</summary>
    public bool IsVoter => _state.IsVoter;

    /// <summary>Whether this node may have lost frames and is not whole again.</summary>
    public bool HasLoss => _state.HasLoss;

    /// <summary>Whether the driver may cut a data frame: leads, its term is open, hands nothing over, and the uncommitted cap is not reached.</summary>
    public bool CanPropose => Role == RaftRole.Leader && TermStart is not null && !_transfer.IsHolding
        && HaltReason is null && End - Commit < _state.Options.UncommittedBytesMax;

    /// <summary>Whether <see cref="Drain"/> keeps leadership away.</summary>
    public bool IsDrained => _state.IsDrained;

    /// <summary>What the driver must do, in order.</summary>
    public RaftEffects Effects => _state.Effects;

    /// <summary>When <see cref="Tick"/> is wanted; <see cref="long.MaxValue"/> when only an event can change anything.</summary>
    public long NextDeadline
    {
        get
        {
            if (!_isStarted || CanStepDeferred)
            {
                return 0;
            }

            return HaltReason is null ? NextTimer : long.MaxValue;
        }
    }

    private bool CanStepDeferred => HaltReason is null
        && _deferred.TryPeek(out var oldest) && oldest.Term <= _state.TermDurable;

    private long NextTimer => Role == RaftRole.Leader
        ? Math.Min(_leadership.NextDeadline, _transfer.Deadline)
        : _election.Deadline;

    /// <summary>Evaluates the timers, and steps one append that had to wait for the meta file.</summary>
    public void Tick(long now)
    {
        if (!Enter(now))
        {
            return;
        }

        if (CanStepDeferred)
        {
            StepDeferred(now);
        }
        else if (Role == RaftRole.Leader)
        {
            TickLeader(now);
        }
        else if (now >= _election.Deadline)
        {
            _election.StartPreVote(now);
        }

        Leave(now);
    }

    /// <summary>A message of a peer; the bytes of an append's range are validated already (I16).</summary>
    public void Receive(long now, PeerMessage message)
    {
        if (!Enter(now))
        {
            return;
        }

        switch (message)
        {
            case AppendRequest request:
                Receive(now, request);
                break;
            case AppendReply reply:
                if (!AdoptIfHigher(now, reply) && Role == RaftRole.Leader && reply.Term == Term)
                {
                    _leadership.Receive(now, reply);
                    _transfer.Advance(now);
                }

                break;
            case PreVoteRequest request:
                _election.Receive(now, request);
                break;
            case PreVoteReply reply:
                _election.NoteRemoved(now, reply);
                if (_state.Options.Defect == SeededDefect.NoHigherTermFromPreVoteReply || !AdoptIfHigher(now, reply))
                {
                    _election.Receive(now, reply);
                }

                break;
            case VoteRequest request:
                var isDisregarded = _election.Disregards(now, request);
                if (!isDisregarded && request.Term > Term)
                {
                    AdoptTerm(now, request.Term);
                }

                _election.Receive(now, request, isDisregarded);
                break;
            case VoteReply reply:
                if (!AdoptIfHigher(now, reply) && _election.Receive(now, reply))
                {
                    BecomeLeader(now);
                }

                break;
            case TimeoutNow notice:
                if (notice.Term == Term && Role == RaftRole.Follower && Leader == notice.From)
                {
                    _election.StartTransfer(now);
                }

                break;
            case Resigning notice:
                if (notice.Term == Term && Role == RaftRole.Follower && Leader == notice.From)
                {
                    _election.LeaderLost(now);
                }

                break;
            default:
                Invariant.Fail($"unknown message {message.GetType().Name}");
                break;
        }

        Leave(now);
    }

    /// <summary>Leader: the driver cut a frame at <see cref="End"/> and shows it in the view.</summary>
    public void FrameAppended(long now, in FrameSummary frame)
    {
        if (!Enter(now))
        {
            return;
        }

        Invariant.Check(Role == RaftRole.Leader, $"a frame was cut by a {Role}");
        _leadership.FrameAppended(now, frame, frame.Flags.HasFlag(FrameFlags.Configuration) ? _reconfiguration.TakeCut() : null);
        Leave(now);
    }

    /// <summary>The writer synced the log up to a position; notices of older generations change nothing (I19).</summary>
    public void LogDurable(long now, LogPosition position, uint generation)
    {
        if (!Enter(now) || !_state.Log.AdvanceDurable(position, generation))
        {
            return;
        }

        _state.NoteDurableConfiguration();
        if (Role == RaftRole.Leader)
        {
            _leadership.AdvanceCommit(now);
        }
        else
        {
            _follower.TryClearLoss();
            _follower.Acknowledge(now);
        }

        Leave(now);
    }

    /// <summary>Term and vote of a version, and so of all before it, are durable.</summary>
    public void MetaDurable(long now, long version)
    {
        if (!Enter(now))
        {
            return;
        }

        _state.AdvanceMetaDurable(version);
        if (_election.MetaDurable())
        {
            BecomeLeader(now);
        }
        else if (Role == RaftRole.Leader)
        {
            _leadership.AdvanceCommit(now);
        }
        else if (CanStepDeferred)
        {
            StepDeferred(now);
        }

        Leave(now);
    }

    /// <summary>The log gave up what lies before <see cref="IRaftLogView.Start"/>, a committed frame boundary.</summary>
    public void LogStartAdvanced() => _state.Log.AdvanceStart();

    /// <summary>The state machine has executed everything before a position; peers are told with the next answer.</summary>
    public void Applied(LogPosition position) => _state.Applied = position;

    /// <summary>How full the own disk is, 0 to 100; the leader is told with the next answer.</summary>
    public void DiskUsed(int percent) => _state.DiskUsedPercent = percent;

    /// <summary>The own outbound connection to a peer was opened.</summary>
    public void SessionOpened(long now, NodeId peer, long session, PeerHello hello)
    {
        if (!Enter(now))
        {
            return;
        }

        var found = _state.Peers.Meet(peer);
        if (!found.Open(session, hello))
        {
            return;
        }

        if (Role == RaftRole.Leader)
        {
            _leadership.SessionOpened(now, found);
        }
        else
        {
            _election.SessionOpened(found);
        }

        Leave(now);
    }

    /// <summary>The own outbound connection to a peer is gone.</summary>
    public void SessionClosed(long now, NodeId peer, long session, SessionCloseReason reason)
    {
        if (!Enter(now))
        {
            return;
        }

        if (_state.Peers.Find(peer) is { } found && found.Close(session))
        {
            _election.SessionClosed(now, found);
        }

        Leave(now);
    }

    /// <summary>
    /// A connection that a peer had opened to this node is gone. If it was the leader's and its kernel closed it, an election
    /// follows after a short random delay.
    /// </summary>
    public void InboundSessionClosed(long now, NodeId peer, long session, SessionCloseReason reason)
    {
        if (!Enter(now))
        {
            return;
        }

        if (reason == SessionCloseReason.PeerReset && Role == RaftRole.Follower && Leader == peer
            && session == _follower.Session)
        {
            _election.LeaderLost(now);
        }

        Leave(now);
    }

    /// <summary>Frames were read as <see cref="ReadRange"/> asked.</summary>
    /// <param name="now">The time.</param>
    /// <param name="peer">For whom.</param>
    /// <param name="number">Number of the request; an answer to any but the newest changes nothing.</param>
    /// <param name="end">Where the last frame ends; where the range was to begin when the log no longer holds it.</param>
    /// <param name="headerCrc">Header checksum of the last frame.</param>
    /// <returns>Whether they go out in an append; its effect may come later.</returns>
    public bool RangeRead(long now, NodeId peer, long number, LogPosition end, uint headerCrc)
    {
        if (!Enter(now))
        {
            return false;
        }

        var isWanted = Role == RaftRole.Leader && _leadership.RangeRead(now, peer, number, end, headerCrc);
        Leave(now);
        return isWanted;
    }

    /// <summary>When the oldest unfinished sync of the log began; null: none is unfinished. To be called at each change.</summary>
    public void SyncPending(long now, long? startedAt)
    {
        if (Enter(now))
        {
            _state.SyncStartedAt = startedAt;
            Leave(now);
        }
    }

    /// <summary>
    /// Asks for a proof that this node still leads (read index, thesis 6.4): what was committed by whomever before this call is
    /// committed here when <see cref="LeadershipConfirmed"/> names the request. Nothing comes if the node leads no more: the driver ends
    /// all questions when the role changes.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="request">Higher than in the call before.</param>
    /// <returns>False when it does not lead, or its term is not open yet.</returns>
    public bool ConfirmLeadership(long now, long request)
    {
        if (!Enter(now))
        {
            return false;
        }

        var isLeader = Role == RaftRole.Leader && TermStart is not null;
        if (isLeader)
        {
            _leadership.Confirm(now, request);
        }

        Leave(now);
        return isLeader;
    }

    /// <summary>Hands leadership to a peer, or to the best one; the outcome is <see cref="TransferFinished"/>.</summary>
    public void TransferLeadership(long now, NodeId? target)
    {
        if (!Enter(now))
        {
            return;
        }

        if (Role != RaftRole.Leader || TermStart is null)
        {
            _state.Effects.Add(new TransferFinished(false));
        }
        else if (!_transfer.IsRunning)
        {
            _transfer.TryStart(now, target);
        }

        Leave(now);
    }

    /// <summary>
    /// Leader: changes who the members are. The outcome is <see cref="ConfigurationChangeFinished"/> with the same object; refused
    /// when this node does not lead, its term has nothing committed, another change is under way, or the change does not apply.
    /// </summary>
    public void ChangeConfiguration(long now, ConfigurationChange change)
    {
        if (!Enter(now))
        {
            return;
        }

        if (Role == RaftRole.Leader)
        {
            _reconfiguration.Start(change, TermStart, _transfer.IsRunning);
        }
        else
        {
            _reconfiguration.Finish(change, ConfigurationChangeOutcome.Refused, "this node does not lead");
        }

        Leave(now);
    }

    /// <summary>
    /// Keeps leadership away from this node, or lets it come again. A drained node hands over as soon as a peer can lead, and
    /// campaigns much later than the others, so that it leads only when nobody else can. It votes and acknowledges as always.
    /// </summary>
    public void Drain(long now, bool isDrained)
    {
        if (!Enter(now))
        {
            return;
        }

        _drainTransferAt = now;
        if (_state.IsDrained != isDrained)
        {
            _state.IsDrained = isDrained;
            if (Role == RaftRole.Follower)
            {
                _election.Rearm(now);
            }
            else if (Role == RaftRole.Leader)
            {
                TickLeader(now);
            }
        }

        Leave(now);
    }

    /// <summary>The node stops: gives up leadership at once and never campaigns again. Votes and acks go on until the end.</summary>
    public void Resign(long now)
    {
        if (!Enter(now))
        {
            return;
        }

        _election.Resign();
        if (Role == RaftRole.Leader)
        {
            _leadership.Resign();
            StepDown(now);
        }
        else if (Role is RaftRole.PreCandidate or RaftRole.Candidate)
        {
            StepDown(now);
        }

        Leave(now);
    }

    /// <summary>What kept the node passive is over: it has its genesis, or its log is whole again.</summary>
    public void Activate(long now)
    {
        if (Enter(now) && Role == RaftRole.Passive)
        {
            _state.Activate();
            _election.Start(now);
            Leave(now);
        }
    }

    private void Receive(long now, AppendRequest request)
    {
        if (Role == RaftRole.Passive)
        {
            return;
        }

        if (request.Term < Term)
        {
            _state.Send(request.From, new AppendReply
            {
                From = _state.Options.Self,
                Session = request.Session,
                Term = Term,
                Stream = request.Stream,
                SentAt = request.SentAt,
                Durable = LogPosition.Zero,
                Received = LogPosition.Zero,
            });
            return;
        }

        if (request.Term > Term)
        {
            AdoptTerm(now, request.Term);
        }

        Invariant.Check(
            Role != RaftRole.Leader && (Leader == NodeId.None || Leader == request.From),
            $"I1: node {request.From} leads term {Term}, but so does {Leader}");
        if (!_follower.TryEnter(request))
        {
            return;
        }

        _election.EndRound();
        _election.LeaderHeard(now, request.From);
        if (_deferred.Count == 0 && _state.TermDurable >= request.Term)
        {
            _follower.Handle(now, request);
        }
        else if (_deferred.Count < DeferredCountMax)
        {
            _deferred.Enqueue(request);
        }
    }

    // One per call: the view must show the effects of the one before.
    private void StepDeferred(long now)
    {
        var request = _deferred.Dequeue();
        if (request.Term == Term && Role == RaftRole.Follower)
        {
            _follower.Handle(now, request);
        }
    }

    private void TickLeader(long now)
    {
        if (now >= _transfer.Deadline)
        {
            _transfer.Finish(isSuccess: false);
        }

        var isAlone = _state.IsVoter && _state.Configuration is { IsJoint: false, Voters.Count: 1 };
        var stall = isAlone ? 0 : _state.SyncAge(now);
        if (stall >= _state.Options.StallLimit && !_transfer.IsRunning && now >= _stallTransferAt && _transfer.HasTarget())
        {
            _stallTransferAt = now + (2 * _state.Options.StallLimit);
            _transfer.TryStart(now, wanted: null);
        }

        if (_state.IsDrained && !_transfer.IsRunning && TermStart is not null && now >= _drainTransferAt && _transfer.HasTarget())
        {
            // Nobody is served while a transfer is under way, so one that fails is not repeated at once.
            _drainTransferAt = now + DrainRetryDelay;
            _transfer.TryStart(now, wanted: null);
        }

        if (stall >= _state.Options.StallHardLimit || !_leadership.Tick(now))
        {
            StepDown(now);
        }
    }

    private void BecomeLeader(long now)
    {
        Invariant.Check(Role == RaftRole.Candidate, $"a {Role} won an election");
        _election.EndRound();
        _election.Disarm();
        _state.SetRole(RaftRole.Leader, _state.Options.Self);
        _leadership.Start(now);
    }

    /// <summary>Leaves leadership or a campaign without a newer term.</summary>
    private void StepDown(long now)
    {
        _election.EndRound();
        _leadership.Stop();
        _reconfiguration.Stop();
        _state.SetRole(RaftRole.Follower, NodeId.None);
        _election.Rearm(now);
        _transfer.Finish(isSuccess: true);
    }

    private bool AdoptIfHigher(long now, PeerMessage reply)
    {
        if (reply.Term <= Term || Role == RaftRole.Passive)
        {
            return false;
        }

        var wasCampaigning = Role is RaftRole.PreCandidate or RaftRole.Candidate;
        AdoptTerm(now, reply.Term);
        if (wasCampaigning)
        {
            _election.RetrySoon(now);
        }

        return true;
    }

    private void AdoptTerm(long now, Term term)
    {
        _state.AdoptTerm(term);
        if (Role == RaftRole.Follower)
        {
            _state.SetRole(RaftRole.Follower, NodeId.None);
        }
        else
        {
            StepDown(now);
        }
    }

    /// <summary>False once the core is halted.</summary>
    private bool Enter(long now)
    {
        if (HaltReason is not null)
        {
            return false;
        }

        if (!_isStarted)
        {
            _isStarted = true;
            _election.Start(now);
            _state.SetRole(Role, NodeId.None);
        }
        else if (_expectedAt != long.MaxValue && now - _expectedAt > _state.Options.ElectionTimeoutMin / 2)
        {
            _election.BackOff(now);
        }

        _expectedAt = long.MaxValue;
        return true;
    }

    private void Leave(long now)
    {
        if (Role == RaftRole.Leader && _reconfiguration.Advance(TermStart))
        {
            // The last duty of a leader that removed itself: all know what is committed, and choose another one at once.
            _leadership.SendToAll(now);
            _leadership.Resign();
            StepDown(now);
        }

        if (Role == RaftRole.Leader && TermStart < Commit && Durable >= Commit)
        {
            _state.ClearLoss();
        }

        if (Role == RaftRole.Leader && _state.IsConfigurationNews && _state.Log.IsConfigurationCommitted)
        {
            // Those who leave hear that it is final.
            _leadership.SendToAll(now);
        }

        if (_state.FollowConfiguration(now))
        {
            _election.ConfigurationChanged(now);
        }

        _state.FlushMeta();
        _expectedAt = NextTimer;
    }
}
