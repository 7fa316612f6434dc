using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Invariants;

namespace Dledger.Simulation.Nodes;

/// <summary>One node: the real core, a simulated disk and clock, and the driver between them.</summary>
internal sealed class SimulatedNode
{
    private readonly double _clockRate;
    private readonly long _clockOffset;
    private readonly List<(string What, Action<RaftCore, long> Call)> _inbox = [];
    private readonly Dictionary<NodeId, LogPosition> _commitTold = [];
    private LogPosition _promised;
    private ulong _promisedHash;
    private LogPosition _knownCommit;
    private LogPosition _reportedCommit;
    private long _tickAt = long.MaxValue;
    private long _deliveredUntil;
    private bool _wasReset;
    private bool _isSyncStalled;
    private (Term Term, long Session) _newest;
    private readonly Dictionary<(Term Term, long Session), int> _rejected = [];
    private readonly HashSet<(Term Term, long Session, int Stream)> _reacted = [];
    private readonly Dictionary<NodeId, long> _answered = [];
    private long _leaderSince;
    private long _configuredAt;

    public SimulatedNode(SimulatedCluster cluster, NodeId id)
    {
        Cluster = cluster;
        Id = id;
        _clockRate = 1 + (((cluster.Random.NextDouble() * 2) - 1) * cluster.Scenario.ClockError);
        _clockOffset = cluster.Random.Next(1, 1_000_000_000);
        Disk = new SimulatedDisk(cluster.Events, cluster.Random, cluster.Scenario.SyncLatency, cluster.Checks, id)
        {
            LogDurable = (position, generation) => PostLater("log durable", (core, now) =>
            {
                var before = core.Durable;
                var isOld = generation != core.Generation;
                core.LogDurable(now, position, generation);
                if (isOld)
                {
                    Cluster.Marks.Reach("durable notice of an older generation");
                    Cluster.Checks.Check("I19", core.Durable == before, $"node {Id}: an old notice moved durable from {before} to {core.Durable}");
                }
            }),
            MetaDurable = version => PostLater("meta durable", (core, now) => core.MetaDurable(now, version)),
            SyncPending = isPending => Post("sync pending", (core, now) =>
            {
                _isSyncStalled = isPending;
                core.SyncPending(now, isPending ? now : null);
            }),
        };
    }

    public SimulatedCluster Cluster { get; }

    public NodeId Id { get; }

    public SimulatedDisk Disk { get; }

    public SimulatedLog Log { get; private set; } = new([]);

    /// <summary>Null while the process is down.</summary>
    public RaftCore? Core { get; private set; }

    /// <summary>Counts process lives; what was meant for an older life is not delivered.</summary>
    public int Life { get; private set; }

    public Term BootTerm { get; private set; }

    /// <summary>The first life after the last damage of the disk.</summary>
    public int DamagedLife { get; private set; }

    /// <summary>The configuration that follows from this node's log alone.</summary>
    public Configuration Configuration => Log.NewestConfiguration?.Configuration ?? Cluster.Founders;

    /// <summary>The nodes to which the core wants a connection.</summary>
    public IReadOnlyList<NodeId> WantedPeers { get; private set; } = [];

    public bool IsPaused { get; private set; }

    public bool StartsPassive { get; set; }

    /// <summary>It resigned and its process will end.</summary>
    public bool IsStopping { get; set; }

    private long LocalNow => _clockOffset + (long)(Cluster.Events.Now * _clockRate);

    /// <summary>Starts a process on what the disk holds.</summary>
    public void Boot()
    {
        Log = new SimulatedLog(Disk.Written) { MemoryBytes = Cluster.Scenario.MemoryBytes };
        BootTerm = Disk.Term;
        _promised = LogPosition.Zero;
        _promisedHash = 0;

        // What a node knows as committed it learned from frames and checkpoints on its own disk. A disk that missed the
        // last truncation holds frames below the commit that the process knew, and they are not those.
        var frameCount = Log.CountBefore(LogPosition.Min(_knownCommit, Log.End));
        while (frameCount > 0 && !Cluster.Checks.Commits.IsCommitted(Log.Frames[frameCount - 1]))
        {
            frameCount--;
        }

        var known = Cluster.Random.Next(frameCount + 1);
        _reportedCommit = known == 0 ? LogPosition.Zero : Log.Frames[known - 1].End;
        var configurations = Log.ScanConfigurations(Cluster.Founders);
        var boot = new RaftBoot(
            Disk.Term, Disk.VotedFor, Log.ScanEpochs(), Log.End, Log.End, _reportedCommit, configurations,
            StartsPassive, StartsPassive ? "no genesis" : null, Disk.HasLoss, Disk.ConfigurationFloor);
        WantedPeers = [.. configurations.TakeLast(2).SelectMany(entry => entry.Configuration.Members)
            .Select(member => member.Node).Where(node => node != Id).Distinct()];
        Core = new RaftCore(Cluster.CreateOptions(Disk.Member), boot, Log, Cluster.Random.NextWord());
        _tickAt = long.MaxValue;
        _deliveredUntil = 0;
        _wasReset = false;
        _newest = default;
        _isSyncStalled = false;
        _commitTold.Clear();
        _rejected.Clear();
        _reacted.Clear();
        _answered.Clear();
        IsStopping = false;
        Cluster.Trace.Line(Cluster.Events.Now, Id.Value, $"boots: term={Disk.Term} vote={Disk.VotedFor} end={Log.End} commit={_reportedCommit}");
        Post("start", (core, now) => core.Tick(now));
    }

    /// <summary>Ends the process at once.</summary>
    public void Crash(string how)
    {
        if (Core is null)
        {
            return;
        }

        Cluster.Trace.Line(Cluster.Events.Now, Id.Value, how);
        Core = null;
        Life++;
        IsPaused = false;
        _inbox.Clear();
        if (Disk.HasUnwrittenMeta)
        {
            Cluster.Marks.Reach("crash with an unwritten vote");
        }

        if (Disk.Crash())
        {
            Cluster.Marks.Reach("crash loses unsynced frames");
        }

        Cluster.Checks.Log.Crashed(this, _promised, _promisedHash);
    }

    /// <summary>The disk of a node that is down is replaced by an empty one.</summary>
    public void Wipe()
    {
        Cluster.Trace.Line(Cluster.Events.Now, Id.Value, "is wiped");
        Cluster.Marks.Reach("node wiped");
        DamagedLife = Life;
        _knownCommit = LogPosition.Zero;
        Disk.Wipe();
    }

    /// <summary>Frames at the end of the log of a node that is down are lost, perhaps none.</summary>
    /// <param name="keptMin">Frames that are not lost.</param>
    public void Lose(int keptMin)
    {
        var count = Disk.Written.Count;
        var kept = keptMin + Cluster.Random.Next(count - keptMin + 1);
        Cluster.Trace.Line(Cluster.Events.Now, Id.Value, $"loses {count - kept} of {count} frames");
        Cluster.Marks.Reach("acknowledged frames lost");
        DamagedLife = Life;
        Disk.Lose(kept);
        _knownCommit = LogPosition.Min(_knownCommit, Disk.DurableEnd);
    }

    public void Pause(long duration)
    {
        if (Core is null || IsPaused)
        {
            return;
        }

        Cluster.Trace.Line(Cluster.Events.Now, Id.Value, $"pauses for {duration / 1000} ms");
        Cluster.Marks.Reach("pause of a node");
        IsPaused = true;
        var life = Life;
        Cluster.Events.After(duration, () =>
        {
            if (life == Life)
            {
                Resume();
            }
        });
    }

    /// <summary>Ends a pause: everything that waited is handled at once, then the timers.</summary>
    public void Resume()
    {
        if (!IsPaused)
        {
            return;
        }

        IsPaused = false;
        var waiting = _inbox.ToArray();
        _inbox.Clear();
        foreach (var (what, call) in waiting)
        {
            if (Core is not null)
            {
                Step(what, call);
            }
        }

        ScheduleTick();
    }

    /// <summary>Gives the core an event now, or when its pause ends.</summary>
    public void Post(string what, Action<RaftCore, long> call)
    {
        if (Core is null)
        {
            return;
        }

        if (IsPaused)
        {
            _inbox.Add((what, call));
        }
        else
        {
            Step(what, call);
        }
    }

    /// <summary>Delivers a message of a peer.</summary>
    public void Deliver(PeerMessage message) => Post(Cluster.Trace.IsOn ? $"<- {message}" : "message", (core, now) =>
    {
        var before = (core.Term, core.Role, core.End, core.Commit, core.Verified);
        var isOld = message is AppendRequest request && _newest.Term == request.Term && request.Session < _newest.Session;
        var isOfRejected = message is AppendRequest late && !late.IsEmpty && late.Term == core.Term
            && _rejected.TryGetValue((late.Term, late.Session), out var rejected) && late.Stream <= rejected;
        var peerBefore = message is AppendReply { Mismatch: not null } ? ProgressOf(core, message.From) : null;
        core.Receive(now, message);
        if (isOfRejected)
        {
            Cluster.Marks.Reach("append of a rejected stream ignored");
            Cluster.Checks.Check(
                "I18",
                before == (core.Term, core.Role, core.End, core.Commit, core.Verified) || before.Role != RaftRole.Follower,
                $"node {Id}: append of a rejected stream changed {before}");
        }

        CheckAnswers(core, now, message, peerBefore);
        if (message is AppendRequest append && core.Role != RaftRole.Passive)
        {
            if (isOld)
            {
                Cluster.Marks.Reach("append of an older session ignored");
                Cluster.Checks.Check(
                    "I18",
                    before == (core.Term, core.Role, core.End, core.Commit, core.Verified),
                    $"node {Id}: append of session {append.Session} changed {before}, newest is {_newest}");
            }

            if (append.Term > _newest.Term || (append.Term == _newest.Term && append.Session > _newest.Session))
            {
                _newest = (append.Term, append.Session);
            }

            if (append.Term < before.Term)
            {
                Cluster.Marks.Reach("append with older term refused");
            }
            else if (append.Term > Disk.Term)
            {
                Cluster.Marks.Reach("append deferred for the meta file");
            }

            if (before.Role is RaftRole.PreCandidate or RaftRole.Candidate && core.Role == RaftRole.Follower)
            {
                Cluster.Marks.Reach("candidate steps back for a leader");
            }

            if (append.Term == core.Term && append.Frames.Count > 0 && append.Frames[0].Base < before.End && core.End >= before.End)
            {
                Cluster.Marks.Reach("frames skipped as known");
            }
        }
        else if (message.IsReply && core.Term > before.Term)
        {
            Cluster.Marks.Reach("term adopted from a reply");
        }
    });

    private static ProgressState? ProgressOf(RaftCore core, NodeId node) => core.Role != RaftRole.Leader ? null
        : core.Peers.Where(peer => peer.Node == node).Select(peer => (ProgressState?)peer.State).FirstOrDefault();

    private void CheckAnswers(RaftCore core, long now, PeerMessage message, ProgressState? stateBefore)
    {
        switch (message)
        {
            case AppendReply reply when core.Role == RaftRole.Leader && reply.Term == core.Term:
                _answered[reply.From] = Math.Max(_answered.GetValueOrDefault(reply.From), reply.SentAt);
                if (reply.Mismatch is not null && !_reacted.Add((reply.Term, reply.Session, reply.Stream)))
                {
                    Cluster.Marks.Reach("second rejection of a stream ignored");
                    Cluster.Checks.Check(
                        "I18",
                        stateBefore != ProgressState.Replicate || ProgressOf(core, reply.From) != ProgressState.Probe,
                        $"node {Id}: a second rejection of stream {reply.Stream} by {reply.From} started a probe");
                }

                break;
            case PreVoteRequest asker when core.Role == RaftRole.Follower && core.Leader == NodeId.None && core.IsVoter
                && !core.HasLoss && core.NextDeadline != long.MaxValue:
                var last = core.Epochs.Last.Term;
                if (asker.LastTerm < last || (asker.LastTerm == last && asker.End < core.End))
                {
                    Cluster.Checks.Check(
                        "P5", core.NextDeadline <= now + 50_000, $"node {Id} refuses {asker.From} and waits until {core.NextDeadline}, now {now}");
                }

                break;
            default:
                break;
        }
    }

    /// <summary>A leader that was just ticked has answers of a majority that are not too old.</summary>
    private void CheckQuorumOf(RaftCore core)
    {
        var options = Cluster.CreateOptions(Disk.Member);
        var oldest = LocalNow - options.CheckQuorumWindow - options.HeartbeatInterval - 1_000;
        if (_configuredAt >= LocalNow - options.HeartbeatInterval - 1_000)
        {
            // It judges at heart-beats, and none was due since the voters changed.
            return;
        }

        Cluster.Checks.Check(
            "CQ",
            _leaderSince >= oldest || MemberChecks.IsQuorum(
                Configuration, voter => voter == Disk.Member || _answered.GetValueOrDefault(voter.Node) >= oldest),
            $"node {Id} still leads term {core.Term}, its majority answered nothing sent since {oldest}");
    }

    /// <summary>Cuts a frame as the driver of a leader does.</summary>
    public SimulatedFrame CutFrame(int length, FrameFlags flags, Configuration? configuration = null)
    {
        var core = Core!;
        Log.TryGetChain(Log.End, out var chain);
        var frame = SimulatedFrame.Create(
            Log.End, length, core.Term, flags, chain, Log.PrefixHashAt(Log.End)!.Value, Cluster.Random.NextWord(), configuration);
        Log.Append(frame);
        Cluster.Checks.Log.Appended(this, frame);
        core.FrameAppended(LocalNow, frame.Summary);
        return frame;
    }

    private void PostLater(string what, Action<RaftCore, long> call)
    {
        // Notices take a while to reach the loop, but stay in order.
        _deliveredUntil = Math.Max(_deliveredUntil, Cluster.Events.Now + Cluster.Random.Next(1, 200));
        var life = Life;
        Cluster.Events.At(_deliveredUntil, () =>
        {
            if (life == Life)
            {
                Post(what, call);
            }
        });
    }

    private void Step(string what, Action<RaftCore, long> call)
    {
        var core = Core!;
        var role = core.Role;
        var term = core.Term;
        Cluster.Trace.Mix(Cluster.Events.Now);
        Cluster.Trace.Mix(Id.Value);
        if (Cluster.Trace.IsOn)
        {
            Cluster.Trace.Line(Cluster.Events.Now, Id.Value, what);
        }

        try
        {
            call(core, LocalNow);
            while (Core is not null && core.Effects.TryTake(out var effect))
            {
                Execute(core, effect);
            }
        }
        catch (InvariantViolationException violation)
        {
            throw new Reports.SimulationFailure("core", $"node {Id}: {violation.Message}");
        }

        if (role == RaftRole.Leader && core.Role != RaftRole.Leader)
        {
            Cluster.Marks.Reach(core.Term > term ? "leader steps down for a higher term" : "leader steps down without quorum");
        }

        if (what == "tick" && core.Role == RaftRole.Leader)
        {
            CheckQuorumOf(core);
        }

        CheckPositions(core);
        if (Core is not null)
        {
            Cluster.Checks.Members.Stepped(this);
        }

        ScheduleTick();
    }

    private void CheckPositions(RaftCore core)
    {
        Cluster.Checks.Check(
            "I12",
            core.Commit <= core.End && core.Durable <= core.End && core.End == Log.End,
            $"node {Id}: commit {core.Commit}, durable {core.Durable}, end {core.End}, log {Log.End}");
        Cluster.Checks.Check(
            "I24", core.Commit <= core.Verified, $"node {Id}: commit {core.Commit}, verified {core.Verified}");
    }

    private void Execute(RaftCore core, RaftEffect effect)
    {
        Cluster.Trace.Mix(effect.GetType().Name.Length);
        if (Cluster.Trace.IsOn)
        {
            Cluster.Trace.Line(Cluster.Events.Now, Id.Value, $"   {effect}");
        }

        switch (effect)
        {
            case PersistMeta meta:
                if (Disk.HasLoss && !meta.HasLoss)
                {
                    Cluster.Checks.Commits.ClearingLoss(this);
                }

                Disk.EnqueueMeta(meta.Version, meta.Term, meta.VotedFor, meta.HasLoss, meta.ConfigurationFloor);
                break;
            case CutTermStart:
                CutFrame(128, FrameFlags.TermStart | FrameFlags.ControlOnly);
                break;
            case CutConfiguration cut:
                Cluster.Checks.Members.Cutting(this, cut.Configuration);
                CutFrame(256, FrameFlags.Configuration | FrameFlags.ControlOnly, cut.Configuration);
                break;
            case ConfigurationChanged changed:
                ExecuteConfiguration(core, changed);
                break;
            case ConfigurationChangeFinished finished:
                Cluster.Operator.Finished(finished);
                break;
            case WriteRange write:
                ExecuteWrite(write);
                break;
            case TruncateTo cut:
                ExecuteCut(cut);
                break;
            case Send send:
                ExecuteSend(core, send);
                break;
            case ReadRange read:
                ExecuteRead(read);
                break;
            case CommitTo commit:
                ExecuteCommit(core, commit.Position);
                break;
            case RoleChanged role:
                ExecuteRole(role);
                break;
            case LeadershipConfirmed confirmed:
                Cluster.Readers.Confirmed(this, confirmed);
                break;
            case TransferFinished finished:
                Cluster.Marks.Reach(finished.IsSuccess ? "transfer succeeded" : "transfer failed");
                break;
            case CloseSession close:
                Cluster.Checks.Check("I16", false, $"node {Id} closes the session of node {close.Peer}: {close.Reason}");
                break;
            case Halt halt:
                throw new Reports.SimulationFailure("core", $"node {Id} halts: {halt.Reason}");
            default:
                throw new InvalidOperationException($"unknown effect {effect}");
        }
    }

    private void ExecuteWrite(WriteRange write)
    {
        if (write.Source is { } source)
        {
            foreach (var summary in source.Frames)
            {
                if (summary.Base >= write.Base)
                {
                    Cluster.Checks.Check("I10", summary.Base == Log.End, $"node {Id} appends at {summary.Base}, end {Log.End}");
                    var frame = SimulatedFrame.Receive(summary, Log.PrefixHashAt(Log.End)!.Value, source.Configurations);
                    Log.Append(frame);
                    Cluster.Checks.Log.Appended(this, frame);
                }
            }
        }

        Cluster.Checks.Check(
            "I16", Log.End == write.End, $"node {Id} writes the range {write.Base} to {write.End}, its frames end at {Log.End}");
        Disk.EnqueueWrite(write.Generation, Log.Range(write.Base, write.End));
    }

    private void ExecuteConfiguration(RaftCore core, ConfigurationChanged changed)
    {
        WantedPeers = changed.Peers;
        _configuredAt = LocalNow;
        if (changed.IsCommitted && core.Role != RaftRole.Leader && BootTerm != core.Term && !core.IsVoter
            && Cluster.Checks.Elections.LeaderOf(core.Term) == Id)
        {
            Cluster.Marks.Reach("leader removed itself");
        }
    }

    private void ExecuteCut(TruncateTo cut)
    {
        Cluster.Marks.Reach("truncation");
        if (Log.Frames[Log.CountBefore(cut.Position)].Term < Log.Frames[^1].Term)
        {
            Cluster.Marks.Reach("truncation across an epoch");
        }

        if (Log.NewestConfiguration?.Position >= cut.Position)
        {
            Cluster.Marks.Reach("configuration rolled back");
        }

        Cluster.Checks.Log.Truncating(this, _reportedCommit, cut.Position);
        Log.TruncateTo(cut.Position);
        if (cut.Position < _promised)
        {
            _promised = cut.Position;
            _promisedHash = Log.PrefixHashAt(cut.Position)!.Value;
        }

        Disk.EnqueueCut(cut.Position);
    }

    private void ExecuteSend(RaftCore core, Send send)
    {
        var message = send.Message;
        Cluster.Checks.Elections.Sent(this, send.Peer, message);
        switch (message)
        {
            case AppendReply { Mismatch: null } reply when reply.Term == core.Term && core.Role == RaftRole.Follower && reply.Durable > LogPosition.Zero:
                Cluster.Checks.Log.Acknowledged(this, reply);
                if (reply.Durable > _promised)
                {
                    _promised = reply.Durable;
                    _promisedHash = Log.PrefixHashAt(reply.Durable)!.Value;
                }

                break;
            case AppendReply { Mismatch: not null } reply:
                _rejected[(reply.Term, reply.Session)] = reply.Stream;
                Cluster.Marks.Reach("append rejected");
                break;
            case PreVoteReply { IsGranted: false } reply:
                if (reply.RemovedAt is not null)
                {
                    Cluster.Marks.Reach("removed node is told");
                }

                Cluster.Marks.Reach("pre-vote refused");
                break;
            case VoteReply { IsGranted: false } reply:
                Cluster.Marks.Reach(reply.Term == Core!.Term && Core.VotedFor != NodeId.None ? "split vote" : "vote refused");
                break;
            case AppendRequest { IsEmpty: false } request when request.RangeEnd - request.Previous > Cluster.Scenario.RangeBytesMax:
                Cluster.Marks.Reach("frame larger than a range");
                break;
            default:
                break;
        }

        if (message is AppendRequest append)
        {
            if (append.IsEmpty && append.Commit > _commitTold.GetValueOrDefault(send.Peer))
            {
                Cluster.Marks.Reach("commit notice alone");
            }

            _commitTold[send.Peer] = append.Commit;
        }

        Cluster.Network.Send(this, send.Peer, message);
    }

    // Another request may overtake it, and so may all else that happens.
    private void ExecuteRead(ReadRange read)
    {
        Cluster.Marks.Reach("range read from disk");
        var end = Log.FindRangeEnd(read.From, read.BytesMax);
        var chain = Log.GetChain(end);
        var life = Life;
        Cluster.Events.After(Cluster.Random.Next(1, 4 * Cluster.Scenario.SyncLatency), () =>
        {
            if (life == Life)
            {
                Post("range read", (core, now) => core.RangeRead(now, read.Peer, read.Number, end, chain));
            }
        });
    }

    private void ExecuteCommit(RaftCore core, LogPosition position)
    {
        if (core.Role == RaftRole.Leader && core.Durable < position)
        {
            Cluster.Marks.Reach("ack of the leader missing at commit");
        }

        Cluster.Checks.Commits.Advanced(this, _reportedCommit, position);
        _reportedCommit = position;
        _knownCommit = LogPosition.Max(_knownCommit, position);
        Cluster.Clients.Committed(this, position);
        core.Applied(position);
    }

    private void ExecuteRole(RoleChanged role)
    {
        if (role.Role == RaftRole.Leader)
        {
            Cluster.Checks.Elections.LeaderElected(this);
            Cluster.Checks.Log.EpochsOf(this);
            Cluster.Clients.LeaderElected(this);
            Cluster.Readers.LeaderElected(this);
            _answered.Clear();
            _leaderSince = LocalNow;
            if (Configuration is { IsJoint: false, Voters.Count: 1 })
            {
                Cluster.Marks.Reach("single voter elected");
            }
        }
        else if (role.Role == RaftRole.PreCandidate && _wasReset)
        {
            Cluster.Marks.Reach("election after a reset connection");
        }

        _wasReset = false;
    }

    /// <summary>The connection that a peer had opened to this node ended.</summary>
    public void InboundClosed(NodeId peer, long session, SessionCloseReason reason) => Post("inbound closed", (core, now) =>
    {
        var leader = core.Leader;
        core.InboundSessionClosed(now, peer, session, reason);
        Drain(core);
        _wasReset = leader != NodeId.None && core.Leader == NodeId.None;
    });

    private void Drain(RaftCore core)
    {
        while (Core is not null && core.Effects.TryTake(out var effect))
        {
            Execute(core, effect);
        }
    }

    private void ScheduleTick()
    {
        if (Core is null || IsPaused || Core.NextDeadline == long.MaxValue)
        {
            return;
        }

        var at = Math.Max(Cluster.Events.Now, (long)Math.Ceiling((Core.NextDeadline - _clockOffset) / _clockRate));
        if (at >= _tickAt)
        {
            return;
        }

        _tickAt = at;
        var life = Life;
        Cluster.Events.At(at, () =>
        {
            if (life != Life || _tickAt != at)
            {
                return;
            }

            _tickAt = long.MaxValue;
            if (Core is not null && !IsPaused && LocalNow >= Core.NextDeadline)
            {
                var isWaiting = _isSyncStalled && Core.Role == RaftRole.Follower && Core.NextDeadline > 0;
                Step("tick", (core, now) => core.Tick(now));
                if (isWaiting && Core.Role == RaftRole.Follower)
                {
                    Cluster.Marks.Reach("campaign delayed by a sync stall");
                }
            }
            else
            {
                ScheduleTick();
            }
        });
    }
}
