using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;
using Dledger.Replication.Members;

namespace Dledger.Replication.Driving;

/// <summary>
/// The driver's part in changes of the members (end of Raft's DIVERGENCE.md): cuts their frames, keeps the right nodes
/// dialled, and lets the policy of a leader ask for the next change. Owned by the replication loop.
/// </summary>
internal sealed class MembershipDriver
{
    private readonly LoopSurroundings _around;
    private readonly RaftCore _core;
    private readonly LocalLog _log;
    private readonly PeerSessions _sessions;
    private readonly AddressBook _addresses;
    private readonly MembershipPolicy _policy;
    private readonly Member _self;
    private IReadOnlyList<NodeId> _peers;
    private IReadOnlyList<ClusterMember> _dialled = [];
    private IReadOnlyList<MemberStatus> _described = [];
    private (Configuration? Configuration, int Addresses) _describedOf;
    private (Configuration? Configuration, int Sessions) _seen;
    private long _dueAt;
    private bool _isLeading;

    public MembershipDriver(LoopSurroundings around, RaftCore core, LocalLog log, PeerSessions sessions)
    {
        _around = around;
        _core = core;
        _log = log;
        _sessions = sessions;
        _addresses = around.Addresses;
        _policy = new MembershipPolicy(around.Options.AutoReplace);
        _self = new Member(around.Options.Self, around.Metadata.StorageId);
        _peers = [.. core.Peers.Select(peer => peer.Node)];
    }

    /// <summary>When <see cref="Turn"/> has something to do; <see cref="long.MaxValue"/> when only an event can change that.</summary>
    public long NextDeadline => _isLeading && _policy.IsWaiting ? _dueAt : long.MaxValue;

    /// <summary>Every member of the configuration in force, for status displays.</summary>
    public IReadOnlyList<MemberStatus> Members
    {
        get
        {
            var present = (_core.Configuration, _addresses.Version);
            if (present != _describedOf)
            {
                _describedOf = present;
                _described = MemberList.Describe(_core.Configuration, _addresses);
            }

            return _described;
        }
    }

    /// <summary>Whether this node with its present directory is a member.</summary>
    public bool IsMember => _core.Configuration.IsVoter(_self) || _core.Configuration.Learners.Contains(_self);

    /// <summary>The transport runs: from now on it dials whom the configuration names.</summary>
    public void Start() => DialPeers();

    /// <summary>Somebody asks for a change.</summary>
    public void Ask(long now, MembershipRequested request)
    {
        if (FindRefusal(request.Change) is { } refusal)
        {
            request.Completion.TrySetResult(refusal);
            return;
        }

        if (request.Change.Place is { } place)
        {
            _addresses.Request(place);
        }

        _policy.Ask(now, request.Change, (long)request.Patience.TotalMicroseconds, request.Completion);
        DialPeers();
        _dueAt = now;
    }

    /// <summary>Asks Raft for the next change, if one is due. The caller executes the effects.</summary>
    public void Turn(long now)
    {
        if (_core.Role != RaftRole.Leader)
        {
            Stop(new MembershipOutcome(
                MembershipOutcomeKind.Unknown, "leadership was lost; ask again, it goes on", _core.Leader));
            return;
        }

        _isLeading = true;
        var seen = (_core.Configuration, _sessions.Version);
        if (seen == _seen && now < NextDeadline)
        {
            return;
        }

        _seen = seen;
        _dueAt = now + MembershipPolicy.RetryDelay;
        var next = _policy.Next(new MembershipView
        {
            Now = now,
            Self = _self,
            Configuration = _core.Configuration,
            IsSettled = !_core.Configuration.IsJoint
                && ReferenceEquals(_core.CommittedConfiguration.Configuration, _core.Configuration),
            Peers = _sessions.Connected,
            Refusals = _sessions.Refusals,
        });
        DialPeers();
        if (next is not null)
        {
            _core.ChangeConfiguration(now, next);
        }
    }

    /// <summary>Cuts a frame that holds a configuration alone.</summary>
    public void Cut(CutConfiguration cut)
    {
        var record = ConfigurationRecord.Encode(cut.Configuration, _addresses.PlaceOf);
        var flags = FrameFlags.Configuration | FrameFlags.ControlOnly;
        var summary = _log.Cut(flags, _core.Term, _core.Commit, [record]);
        _core.FrameAppended(_around.Clock.Monotonic(), summary);
    }

    /// <summary>Another configuration is in force, or it is committed now.</summary>
    public void Changed(ConfigurationChanged changed)
    {
        ReplicationEvents.ConfigurationChanged(
            _around.Logger,
            _around.Options.Self,
            changed.Entry.Configuration,
            changed.Entry.Position,
            changed.IsCommitted);
        _peers = changed.Peers;
        _seen = default;
        DialPeers();
    }

    /// <summary>A change that was asked for has ended.</summary>
    public void Finished(ConfigurationChangeFinished finished)
    {
        if (finished.Outcome != ConfigurationChangeOutcome.Refused)
        {
            ReplicationEvents.ConfigurationChangeEnded(_around.Logger, finished.Outcome, finished.Reason ?? "");
        }

        _policy.Finished(_around.Clock.Monotonic(), finished.Change, finished.Outcome, finished.Reason);
    }

    /// <summary>Nobody is answered later than now.</summary>
    public void Stop(MembershipOutcome outcome)
    {
        if (_isLeading)
        {
            _isLeading = false;

            // Leading again, perhaps soon and with nothing changed, it has to look anew.
            _seen = default;
            _policy.Stop(outcome);
            DialPeers();
        }
    }

    private MembershipOutcome? FindRefusal(MembershipChange change)
    {
        if (_core.Role != RaftRole.Leader)
        {
            return new MembershipOutcome(MembershipOutcomeKind.NotLeader, "this node does not lead", _core.Leader);
        }

        if (change.Place is not { } place)
        {
            return null;
        }

        var self = _addresses.FindConfigured(_self.Node);
        var known = _addresses.FindConfigured(place.Node);
        var reason = self is null or { PeerPort: 0 }
            ? $"node {_self.Node} runs alone and has no address for other nodes; give it one in its options"
            : known is not null && known != place
            ? $"node {place.Node} is {known.Host}:{known.PeerPort} in the options of node {_self.Node}, not "
                + $"{place.Host}:{place.PeerPort}; use that address, or change the options first"
            : null;
        return reason is null ? null : new MembershipOutcome(MembershipOutcomeKind.Refused, reason, NodeId.None);
    }

    private void DialPeers()
    {
        var wanted = _peers.Concat(_policy.Wanted)
            .Distinct()
            .Where(node => node != _self.Node)
            .Order()
            .Select(_addresses.Find)
            .OfType<ClusterMember>()
            .ToList();
        if (!wanted.SequenceEqual(_dialled))
        {
            _dialled = wanted;
            _around.Transport.SetPeers(wanted);
        }
    }
}
