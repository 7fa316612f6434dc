using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Leaders;

/// <summary>The sending side of replication, the commit rule and check-quorum (Raft sections 5.3 and 5.4.2, thesis 6.2).</summary>
/// <remarks>Alive only while this node leads; everything is set anew at each election.</remarks>
internal sealed class Leadership(RaftState state)
{
    private const long Never = long.MaxValue;

    private readonly RaftState _state = state;
    private readonly RaftOptions _options = state.Options;
    private readonly LeadershipProof _proof = new();
    private long _heartbeatAt = Never;
    private long _commitNoticeAt = Never;
    private long _lastSentAt;
    private long _roundAt;
    private bool _hasCheckedRound;
    private long _readNumber;

    /// <summary>Where the first frame of the own term begins: S(term); null until it is cut.</summary>
    public LogPosition? TermStart { get; private set; }

    /// <summary>When <see cref="Tick"/> has work.</summary>
    public long NextDeadline => Math.Min(_heartbeatAt, _commitNoticeAt);

    /// <summary>Won the election: asks the driver for the frame that opens the term.</summary>
    public void Start(long now)
    {
        TermStart = null;
        _heartbeatAt = now + _options.HeartbeatInterval;
        _commitNoticeAt = Never;
        _hasCheckedRound = false;
        _proof.Reset();
        foreach (var peer in _state.Peers.Known)
        {
            peer.StartTerm(now, _state.Log.End);
        }

        _state.Effects.Add(new CutTermStart(_state.Term));
    }

    /// <summary>Leads no more.</summary>
    public void Stop()
    {
        TermStart = null;
        _heartbeatAt = Never;
        _commitNoticeAt = Never;
        _proof.Reset();
    }

    /// <summary>The driver cut a frame: it goes to the writer and to the peers at the same time.</summary>
    /// <param name="now">The time.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="configuration">What it holds when it is flagged so; in force from now on.</param>
    public void FrameAppended(long now, in FrameSummary frame, Configuration? configuration)
    {
        Invariant.Check(frame.Term == _state.Term, $"L1: frame of term {frame.Term} cut by the leader of {_state.Term}");
        if (TermStart is null)
        {
            Invariant.Check(frame.Flags.HasFlag(FrameFlags.TermStart), "I11: the first frame of a term is its TermStart");
            TermStart = frame.Base;
        }

        _state.Log.Append(frame, configuration);
        _state.FollowConfiguration(now);
        _state.Effects.Add(new WriteRange(_state.Log.Generation, frame.Base, frame.End, Source: null));
        foreach (var peer in _state.Peers.All)
        {
            Fill(now, peer);
        }
    }

    /// <summary>Sends what is due; false when no majority answers any more and this node must step down.</summary>
    public bool Tick(long now)
    {
        if (now >= _heartbeatAt)
        {
            if (!HasQuorum(now))
            {
                return false;
            }

            _heartbeatAt = now + _options.HeartbeatInterval;
            CountRound(now);
            SendToAll(now);
        }

        if (now >= _commitNoticeAt)
        {
            _commitNoticeAt = Never;
            foreach (var peer in _state.Peers.All)
            {
                if (peer.State == ProgressState.Replicate && peer.CommitSent < _state.Log.Commit)
                {
                    SendEmpty(now, peer);
                }
            }
        }

        return true;
    }

    /// <summary>Sends everybody a heart-beat, and with it the commit position.</summary>
    public void SendToAll(long now)
    {
        foreach (var peer in _state.Peers.All)
        {
            SendEmpty(now, peer);
        }
    }

    /// <summary>Somebody wants to know whether this node still leads; the answer is <see cref="LeadershipConfirmed"/>.</summary>
    /// <param name="now">The time.</param>
    /// <param name="request">Number of the question; each is higher than the one before.</param>
    public void Confirm(long now, long request)
    {
        if (_proof.Ask(request))
        {
            BeginProof(now);
        }
    }

    /// <summary>A connection to a peer was opened: finds out anew what it has.</summary>
    public void SessionOpened(long now, Peer peer)
    {
        peer.StartStreams(FirstProbe(peer));
        Fill(now, peer);
    }

    /// <summary>A follower's answer in the own term.</summary>
    public void Receive(long now, AppendReply reply)
    {
        var peer = _state.Peers.Find(reply.From);
        if (peer is null || (reply.Session != peer.Session && _options.Defect != SeededDefect.AckOfOlderSessionCounted))
        {
            return;
        }

        peer.LastContact = _options.Defect == SeededDefect.ContactByReceiveTime
            ? now
            : Math.Max(peer.LastContact, Math.Min(reply.SentAt, now));
        peer.AnsweredSentAt = Math.Max(peer.AnsweredSentAt, reply.SentAt);
        FinishProof(now);
        peer.Applied = reply.Applied;
        peer.SyncAge = reply.SyncAge;
        peer.DiskUsedPercent = reply.DiskUsedPercent;
        if (reply.Durable > peer.Match)
        {
            Invariant.Check(
                reply.Durable <= _state.Log.End,
                $"I17: node {reply.From} acknowledged {reply.Durable}, beyond the leader's end {_state.Log.End}");
            peer.Match = reply.Durable;
            AdvanceCommit(now);
        }

        if (reply.Mismatch is { } mismatch)
        {
            if (reply.Stream == peer.Stream || _options.Defect == SeededDefect.StreamIgnored)
            {
                peer.Stream++;
                Rematch(peer, mismatch);
            }
        }
        else if (reply.Stream == peer.Stream)
        {
            if (peer.State is ProgressState.Probe or ProgressState.Snapshot)
            {
                peer.State = ProgressState.Replicate;
                peer.IsProbeOutstanding = false;
            }

            peer.Received = LogPosition.Max(peer.Received, reply.Received);
            peer.Next = LogPosition.Max(peer.Next, reply.Received);
        }

        Fill(now, peer);
    }

    /// <summary>Frames that a peer needs were read; sends them if they are still what it needs next.</summary>
    /// <param name="now">The time.</param>
    /// <param name="node">The peer.</param>
    /// <param name="number">As it was asked for.</param>
    /// <param name="end">Where the last frame ends; where the first one would begin when the log has given it up meanwhile.</param>
    /// <param name="headerCrc">The chain there.</param>
    /// <returns>Whether they are sent.</returns>
    public bool RangeRead(long now, NodeId node, long number, LogPosition end, uint headerCrc)
    {
        if (_state.Peers.Find(node) is not { Reading: { } reading, IsConnected: true } peer || reading.Number != number)
        {
            return false;
        }

        peer.Reading = null;
        var isWanted = peer.State == ProgressState.Replicate && peer.Next == reading.From && peer.Next >= _state.Log.Start && end > peer.Next;
        if (isWanted)
        {
            Send(now, peer, end);
            peer.Next = end;
            peer.ReadChain = (end, headerCrc);
        }

        Fill(now, peer);
        return isWanted;
    }

    /// <summary>Applies the commit rule to the present match positions (Raft section 5.4.2).</summary>
    public void AdvanceCommit(long now)
    {
        var quorum = new LogPosition(MajorityValue(_state.OwnDurable.Value, peer => peer.Match.Value));
        var isOfOwnTerm = TermStart is { } start && quorum > start;
        if ((isOfOwnTerm || _options.Defect == SeededDefect.CommitWithoutCurrentTerm) && _state.Log.AdvanceCommit(quorum))
        {
            _commitNoticeAt = Math.Min(_commitNoticeAt, now + _options.CommitNoticeDelay);
        }
    }

    /// <summary>Sends an append of its own kind to every connected peer that the leader's resignation concerns.</summary>
    public void Resign()
    {
        foreach (var peer in _state.Peers.All)
        {
            if (peer.IsConnected)
            {
                var notice = new Resigning { From = _options.Self, Session = peer.Session, Term = _state.Term };
                _state.Send(peer.Node, notice);
            }
        }
    }

    private void BeginProof(long now)
    {
        _proof.Begin(_options.Defect == SeededDefect.ReadsWithoutRound ? -1 : _lastSentAt);
        SendToAll(now);
        FinishProof(now);
    }

    private void FinishProof(long now)
    {
        if (_proof.IsRunning
            && _proof.TryFinish(MajorityValue(long.MaxValue, peer => peer.AnsweredSentAt)) is { } request)
        {
            _state.Effects.Add(new LeadershipConfirmed(request));
            if (_proof.IsWanted)
            {
                BeginProof(now);
            }
        }
    }

    private bool HasQuorum(long now) =>
        now - MajorityValue(now, peer => peer.LastContact) <= _options.CheckQuorumWindow;

    /// <summary>
    /// The largest value that a majority of the voters reached, in a joint configuration the lower one of its halves. Only the
    /// voters' own storages count (I6), and this node itself only if it is a voter.
    /// </summary>
    private long MajorityValue(long own, Func<Peer, long> valueOf)
    {
        var configuration = _state.Configuration;
        var value = MajorityValue(configuration.Voters, own, valueOf);
        return configuration.IsJoint && _options.Defect != SeededDefect.JointOneMajority
            ? Math.Min(value, MajorityValue(configuration.VotersNew, own, valueOf))
            : value;
    }

    private long MajorityValue(IReadOnlyList<Member> voters, long own, Func<Peer, long> valueOf)
    {
        Span<long> values = stackalloc long[voters.Count];
        for (var i = 0; i < voters.Count; i++)
        {
            values[i] = IsSame(voters[i], _state.Self) ? own
                : _state.Peers.Find(voters[i].Node) is { } peer && (peer.Hello is null || IsSame(voters[i], peer.Member)) ? valueOf(peer)
                : 0;
        }

        if (_options.Defect == SeededDefect.UncountedLeaderCounts && !voters.Contains(_state.Self))
        {
            values.Sort();
            values[0] = Math.Max(values[0], own);
        }

        return Quorum.MajorityValue(values);
    }

    private bool IsSame(Member voter, Member member) =>
        voter == member || (_options.Defect == SeededDefect.WipedNodeCounts && voter.Node == member.Node);

    /// <summary>A learner that was close behind, and alive, at two heart-beats in a row will keep up as a voter.</summary>
    private void CountRound(long now)
    {
        foreach (var peer in _state.Peers.All)
        {
            var isClose = _state.Log.End - peer.Match <= _options.PromotionLagMax && peer.Match > LogPosition.Zero;
            var hasAnswered = _hasCheckedRound && peer.IsConnected && peer.LastContact >= _roundAt;
            peer.CaughtUpRounds = isClose && hasAnswered ? peer.CaughtUpRounds + 1 : 0;
        }

        _roundAt = now;
        _hasCheckedRound = true;
    }

    /// <summary>
    /// Where to probe in a new session. The hello names the peer's last term: if the own log has it, the match follows as from an
    /// epoch table of one entry. The hello may be outdated, so the append's own check still decides.
    /// </summary>
    private LogPosition FirstProbe(Peer peer)
    {
        var log = _state.Log;
        if (peer.Hello is { } hello
            && EpochTable.FindMatch(log.Epochs.Epochs, log.End, [new Epoch(hello.LastTerm, log.Start)], hello.End) is { } match
            && log.HasFrameEnd(match, log.Epochs.TermBefore(match)))
        {
            return LogPosition.Max(match, peer.Match);
        }

        // Without any acknowledgement in this term the match is unknown; from the end, one rejection finds it.
        return peer.Match > log.Start ? peer.Match : log.End;
    }

    private void Rematch(Peer peer, LogMismatch mismatch)
    {
        var log = _state.Log;
        var match = EpochTable.FindMatch(log.Epochs.Epochs, log.End, mismatch.Epochs, mismatch.End);
        if (match is null && mismatch.IsCutShort)
        {
            // No term among the newest epochs is common: probe where the sent ones begin, and get the older ones.
            match = FindProbeBefore(mismatch.Epochs[0].Start);
        }

        var next = match is { } position ? LogPosition.Max(peer.Match, LogPosition.Min(position, log.End)) : log.Start;
        peer.Probe(LogPosition.Max(next, log.Start));
        if (match is null || next < log.Start)
        {
            // Heart-beats go on probing at the log's start: a snapshot that was installed ends there, and a log that grew meanwhile
            // by what an older leader had sent may match there (the retain rule, 2.20).
            peer.State = ProgressState.Snapshot;
        }
    }

    // What a peer lacks may have been given up meanwhile: then the answer to a probe at the start tells what it needs.
    private void KeepBehindStart(Peer peer)
    {
        var start = _state.Log.Start;
        if (peer.Next < start)
        {
            var state = peer.State;
            peer.Probe(start);
            peer.State = state == ProgressState.Snapshot ? state : ProgressState.Probe;
        }
    }

    private LogPosition FindProbeBefore(LogPosition position)
    {
        var found = _state.Log.Start;
        foreach (var epoch in _state.Log.Epochs.Epochs)
        {
            if (epoch.Start <= position)
            {
                found = epoch.Start;
            }
        }

        return found;
    }

    private void Fill(long now, Peer peer)
    {
        if (!peer.IsConnected || !peer.IsMember || TermStart is null)
        {
            return;
        }

        KeepBehindStart(peer);
        var end = _state.Log.End;
        if (peer.State == ProgressState.Probe && !peer.IsProbeOutstanding)
        {
            peer.IsProbeOutstanding = true;
            Send(now, peer, _state.Log.IsInMemory(peer.Next) ? _state.Log.FindRangeEnd(peer.Next, _options.ProbeBytesMax) : peer.Next);
        }

        while (peer.State == ProgressState.Replicate && peer.Next < end
            && peer.Next - peer.Received < _options.WindowBytesMax && peer.Reading is null)
        {
            if (!_state.Log.IsInMemory(peer.Next))
            {
                peer.Reading = (++_readNumber, peer.Next);
                _state.Effects.Add(new ReadRange(peer.Node, peer.Session, _readNumber, peer.Next, _options.RangeBytesMax));
                return;
            }

            var rangeEnd = _state.Log.FindRangeEnd(peer.Next, _options.RangeBytesMax);
            Invariant.Check(rangeEnd > peer.Next && rangeEnd <= end, $"range {peer.Next} to {rangeEnd}, end {end}");
            Send(now, peer, rangeEnd);
            peer.Next = rangeEnd;
        }
    }

    private void SendEmpty(long now, Peer peer)
    {
        if (peer.IsConnected && TermStart is not null)
        {
            KeepBehindStart(peer);
            Send(now, peer, peer.Next);
        }
    }

    private void Send(long now, Peer peer, LogPosition rangeEnd)
    {
        var chain = peer.ReadChain is { } read && read.Position == peer.Next ? read.HeaderCrc : _state.Log.GetChain(peer.Next);
        _lastSentAt = Math.Max(_lastSentAt + 1, now);
        peer.CommitSent = _state.Log.Commit;
        _state.Send(peer.Node, new AppendRequest
        {
            From = _options.Self,
            Session = peer.Session,
            Term = _state.Term,
            Stream = peer.Stream,
            Previous = peer.Next,
            PreviousTerm = _state.Log.Epochs.TermBefore(peer.Next),
            PreviousChain = chain,
            RangeEnd = rangeEnd,
            Commit = _state.Log.Commit,
            SentAt = _lastSentAt,
            IsAtLogStart = peer.State == ProgressState.Snapshot,
        });
    }
}
