using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Elections;

/// <summary>When to campaign and for whom to vote: pre-vote (thesis 9.6), vote (Raft section 5.2), detection of a lost leader.</summary>
/// <remarks>Changes role, term and vote; what else follows from a new term or a won election is the core's.</remarks>
internal sealed class Election(RaftState state)
{
    /// <summary>No campaign is planned.</summary>
    public const long Never = long.MaxValue;

    // A node that was told how far it is behind, or that it is ahead, tries again after this many microseconds (P4, P5).
    private const long RetryDelayMin = 10_000;
    private const long RetryDelayMax = 50_000;

    private readonly RaftState _state = state;
    private readonly RaftOptions _options = state.Options;
    private Ballot? _ballot;
    private PeerMessage? _request;
    private long _campaign = state.Random.Next(1, 1L << 40);
    private long _ownVoteVersion = Never;
    private long _leaderContact;

    /// <summary>When the next campaign begins unless a leader is heard before.</summary>
    public long Deadline { get; private set; } = Never;

    /// <summary>Set by a graceful stop: votes are still given, but this node wants no leadership any more.</summary>
    public bool HasResigned { get; private set; }

    private bool MayCampaign =>
        !HasResigned && _state.Role != RaftRole.Passive && _state.IsElectable;

    private bool IsOnlyVoter => !_state.Configuration.IsJoint && _state.Configuration.Voters.Count == 1 && _state.IsVoter;

    /// <summary>Starts the timer; a single voter need not wait for a leader that cannot exist.</summary>
    public void Start(long now) =>
        Deadline = !MayCampaign ? Never
            : IsOnlyVoter ? now
            : now + RandomTimeout();

    /// <summary>Stops wanting leadership.</summary>
    public void Resign()
    {
        HasResigned = true;
        Deadline = Never;
    }

    /// <summary>Waits a whole election timeout from now.</summary>
    public void Rearm(long now) => Deadline = MayCampaign ? now + RandomTimeout() : Never;

    /// <summary>Another configuration is in force: a new voter starts its timer, a node that is none any more stops it.</summary>
    public void ConfigurationChanged(long now)
    {
        if (_state.Role != RaftRole.Leader && MayCampaign != (Deadline != Never))
        {
            Rearm(now);
        }
    }

    /// <summary>No campaign while this node leads.</summary>
    public void Disarm() => Deadline = Never;

    /// <summary>Adds a random wait after this loop did not run for a while: the messages that it missed may only now arrive (2.13).</summary>
    public void BackOff(long now)
    {
        if (Deadline != Never)
        {
            Deadline = Math.Max(Deadline, now + _state.Random.Next(1, _options.ElectionTimeoutMin / 2));
        }
    }

    /// <summary>A valid append of the present term arrived.</summary>
    public void LeaderHeard(long now, NodeId leader)
    {
        _leaderContact = now;
        if (_state.Role != RaftRole.Passive)
        {
            _state.SetRole(RaftRole.Follower, leader);
            Rearm(now);
        }
    }

    /// <summary>
    /// The leader is known to be gone: a campaign may begin after a short random delay, where the state machine is ready to serve. Where
    /// it is not, another node's chance comes first, and this one's with its timeout.
    /// </summary>
    public void LeaderLost(long now)
    {
        _state.SetRole(RaftRole.Follower, NodeId.None);
        if (_state.Log.Commit - _state.Applied <= _options.ApplyLagMax)
        {
            Hasten(now, _options.ResetDelayMin, _options.ResetDelayMax);
        }
    }

    /// <summary>A higher term was seen while this node campaigned or asked: it may be the only one with all frames (P4).</summary>
    public void RetrySoon(long now) => Hasten(now, RetryDelayMin, RetryDelayMax);

    /// <summary>The deadline has passed: asks for pre-votes. True when this node alone is the majority and must be voted for.</summary>
    public void StartPreVote(long now)
    {
        Rearm(now);
        if (!MayCampaign || _state.SyncAge(now) >= _options.StallLimit || (_state.HasLoss && !CanWinUnanimously()))
        {
            return;
        }

        StartRound();
        _state.SetRole(RaftRole.PreCandidate, NodeId.None);
        _ballot!.Count(_state.Self, isGranted: true, _state.HasLoss);
        if (_ballot.IsWon)
        {
            StartVote(now, isTransfer: false);
            return;
        }

        Broadcast(new PreVoteRequest
        {
            From = _options.Self,
            Session = 0,
            Term = _state.Term,
            Campaign = _campaign,
            NextTerm = _state.Term.Next(),
            LastTerm = _state.Log.LastTerm,
            End = _state.Log.End,
        });
    }

    /// <summary>The leader handed over: campaigns at once, without pre-vote.</summary>
    public void StartTransfer(long now)
    {
        if (MayCampaign && !_state.HasLoss && _state.SyncAge(now) < _options.StallLimit)
        {
            StartVote(now, isTransfer: true);
        }
    }

    /// <summary>A connection to a peer was opened: a running round asks it as well.</summary>
    public void SessionOpened(Peer peer)
    {
        if (_request is not null && _state.Role is RaftRole.PreCandidate or RaftRole.Candidate
            && IsAsked(peer) && !_ballot!.HasGranted(VoterOf(peer)))
        {
            Ask(peer);
        }
    }

    /// <summary>A connection to a peer is gone, and its answer with it.</summary>
    public void SessionClosed(long now, Peer peer)
    {
        _ballot?.GiveUp(VoterOf(peer));
        RetryIfLost(now);
    }

    /// <summary>True when the own vote, now durable, is the last that was missing.</summary>
    public bool MetaDurable()
    {
        if (_state.Role != RaftRole.Candidate || _state.MetaDurableVersion < _ownVoteVersion)
        {
            return false;
        }

        _ballot!.Count(_state.Self, isGranted: true, _state.HasLoss);
        return _ballot.IsWon;
    }

    /// <summary>Answers a pre-vote request; grants change no state but the own haste.</summary>
    public void Receive(long now, PreVoteRequest request)
    {
        var isUpToDate = IsUpToDate(request.LastTerm, request.End);
        var hasLeader = HasLiveLeader(now);
        var isGranted = _state.Role is not (RaftRole.Passive or RaftRole.Leader)
            && request.NextTerm > _state.Term && isUpToDate && !hasLeader && !_state.HasLostConfiguration;
        var committed = _state.Log.Committed;
        _state.Send(request.From, new PreVoteReply
        {
            From = _options.Self,
            Session = request.Session,
            Term = _state.Term,
            Campaign = request.Campaign,
            IsGranted = isGranted,
            HasLoss = _state.HasLoss,
            RemovedAt = committed.Configuration.IsMember(request.From) ? null : committed.Position,
            LastTerm = _state.Log.LastTerm,
            End = _state.Log.End,
            Leader = _state.Leader,
        });
        if (isGranted)
        {
            GiveWay(now);
        }
        else if (!isUpToDate && !hasLeader && _options.Defect != SeededDefect.NoHasteOfTheBetterLog)
        {
            RetrySoon(now);
        }
    }

    /// <summary>Stops campaigning when the group has committed a configuration without this node (thesis 4.2.2).</summary>
    public void NoteRemoved(long now, PreVoteReply reply)
    {
        if (reply.RemovedAt is { } position && _state.Role == RaftRole.PreCandidate && position >= _state.Log.Effective.Position)
        {
            _state.NoteRemoved(position);
            EndRound();
            _state.SetRole(RaftRole.Follower, NodeId.None);
            Rearm(now);
        }
    }

    /// <summary>Counts a pre-vote; the caller has adopted a higher term already.</summary>
    public void Receive(long now, PreVoteReply reply)
    {
        if (_state.Role != RaftRole.PreCandidate || reply.Campaign != _campaign)
        {
            return;
        }

        Count(reply, reply.IsGranted, reply.HasLoss);
        if (_ballot!.IsWon)
        {
            StartVote(now, isTransfer: false);
        }
    }

    /// <summary>Whether a vote request must be refused without a look at its term, so that it disturbs no working leader (V2, V3).</summary>
    public bool Disregards(long now, VoteRequest request) =>
        _state.Role == RaftRole.Passive || (!request.IsTransfer && HasLiveLeader(now));

    /// <summary>Answers a vote request whose term, if higher, the caller has adopted.</summary>
    public void Receive(long now, VoteRequest request, bool isDisregarded)
    {
        var isUpToDate = IsUpToDate(request.LastTerm, request.End);
        var isFree = _state.VotedFor == NodeId.None || _state.VotedFor == request.From
            || _options.Defect == SeededDefect.TwoVotesInOneTerm;
        var isGranted = !isDisregarded && request.Term == _state.Term && isUpToDate && isFree
            && _state.Role is not (RaftRole.Leader or RaftRole.Candidate or RaftRole.Passive) && !_state.HasLostConfiguration;
        if (isGranted)
        {
            _state.VoteFor(request.From);
            _state.SetRole(RaftRole.Follower, NodeId.None);
            Rearm(now);
        }

        _state.Send(request.From, new VoteReply
        {
            From = _options.Self,
            Session = request.Session,
            Term = _state.Term,
            Campaign = request.Campaign,
            IsGranted = isGranted,
            HasLoss = _state.HasLoss,
            Leader = _state.Leader,
        });
        if (!isDisregarded && !isUpToDate && _state.Role is RaftRole.Follower or RaftRole.PreCandidate
            && _options.Defect != SeededDefect.NoHasteOfTheBetterLog)
        {
            RetrySoon(now);
        }
    }

    /// <summary>Counts a vote; true when it decides the election for this node.</summary>
    public bool Receive(long now, VoteReply reply)
    {
        if (_state.Role != RaftRole.Candidate || reply.Term != _state.Term || reply.Campaign != _campaign)
        {
            return false;
        }

        Count(reply, reply.IsGranted, reply.HasLoss);
        RetryIfLost(now);
        return _ballot!.IsWon;
    }

    /// <summary>Ends the round, won or not.</summary>
    public void EndRound()
    {
        _ballot = null;
        _request = null;
        _ownVoteVersion = Never;
    }

    private void StartVote(long now, bool isTransfer)
    {
        StartRound();
        _state.EnterNextTerm();
        _state.SetRole(RaftRole.Candidate, NodeId.None);
        Rearm(now);

        // The own vote counts, and the requests leave, when it is durable (V1).
        _ownVoteVersion = _options.Defect == SeededDefect.VoteBeforeMetaDurable ? 0 : _state.MetaVersion;
        Broadcast(new VoteRequest
        {
            From = _options.Self,
            Session = 0,
            Term = _state.Term,
            Campaign = _campaign,
            LastTerm = _state.Log.LastTerm,
            End = _state.Log.End,
            IsTransfer = isTransfer,
        });
    }

    private void StartRound()
    {
        _campaign++;
        _ballot = new Ballot(_state.Configuration, _options.Defect);
        _ballot.Await(_state.Self);
    }

    private void Broadcast(PeerMessage request)
    {
        _request = request;
        foreach (var peer in _state.Peers.All)
        {
            if (peer.IsConnected && IsAsked(peer))
            {
                Ask(peer);
            }
        }
    }

    private void Ask(Peer peer)
    {
        _ballot!.Await(VoterOf(peer));
        _state.Send(peer.Node, _request! with { Session = peer.Session });
    }

    /// <summary>
    /// Learners and other storages of a voter are asked in vain; only the number matters here, as the hello may be outdated.
    /// </summary>
    private bool IsAsked(Peer peer) => _state.Configuration.IsVoter(peer.Node);

    /// <summary>An answer stands for the storage that is at the other end of the connection that brought it (I6).</summary>
    private void Count(PeerMessage reply, bool isGranted, bool hasLoss)
    {
        if (_state.Peers.Find(reply.From) is { } peer && peer.Session == reply.Session)
        {
            _ballot!.Count(VoterOf(peer), isGranted, hasLoss);
        }
    }

    private Member VoterOf(Peer peer)
    {
        if (_options.Defect == SeededDefect.WipedNodeCounts)
        {
            return _state.Configuration.Voters.Concat(_state.Configuration.VotersNew)
                .FirstOrDefault(voter => voter.Node == peer.Node, peer.Member);
        }

        return peer.Member;
    }

    private bool CanWinUnanimously()
    {
        if (_state.HasLostConfiguration)
        {
            return false;
        }

        foreach (var voter in _state.Configuration.Voters.Concat(_state.Configuration.VotersNew))
        {
            if (voter != _state.Self && _state.Peers.Find(voter.Node) is not { IsConnected: true })
            {
                return false;
            }
        }

        return true;
    }

    // A split vote: nobody leads, so a whole timeout would be lost time. The random delay parts the rivals.
    private void RetryIfLost(long now)
    {
        if (_state.Role == RaftRole.Candidate && _ballot!.IsLost)
        {
            Hasten(now, _options.ResetDelayMin, _options.ResetDelayMax);
        }
    }

    private bool IsUpToDate(Term lastTerm, LogPosition end) =>
        lastTerm > _state.Log.LastTerm || (lastTerm == _state.Log.LastTerm && end >= _state.Log.End);

    private bool HasLiveLeader(long now) =>
        _state.Role == RaftRole.Leader
        || (_state.Leader != NodeId.None && now - _leaderContact < _options.ElectionTimeoutMin);

    private void Hasten(long now, long delayMin, long delayMax)
    {
        if (MayCampaign && !_state.HasLoss && !_state.IsDrained)
        {
            Deadline = Math.Min(Deadline, now + _state.Random.Next(delayMin, delayMax));
        }
    }

    /// <summary>Lets the peer that was just encouraged go first, so that two hasty nodes do not split the votes.</summary>
    private void GiveWay(long now)
    {
        if (Deadline < now + _options.ResetDelayMax)
        {
            Deadline = now + _state.Random.Next(_options.ResetDelayMax, 2 * _options.ResetDelayMax);
        }
    }

    // A node that can win only with all votes lets the others try first; a drained one leaves them time to try again.
    private long RandomTimeout() => _state.Random.Next(_options.ElectionTimeoutMin, _options.ElectionTimeoutMax)
        + (_state.HasLoss ? _options.ElectionTimeoutMin : 0)
        + (_state.IsDrained && !IsOnlyVoter ? 3 * _options.ElectionTimeoutMax : 0);
}
