using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Logs;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;

namespace Dledger.Raft;

/// <summary>What all parts of the core share: term, vote, role, log, outgoing effects.</summary>
/// <remarks>
/// <para>A message that reveals a term or a vote is kept back here until the meta version that holds it is durable (I3, V1).</para>
/// <para>Owned by the replication loop.</para>
/// </remarks>
internal sealed class RaftState
{
    private readonly Queue<(long Version, Send Send)> _held = new();
    private readonly Queue<(long Version, Term Term)> _unwritten = new();
    private (RaftRole Role, Term Term, NodeId Leader) _announced;
    private (ConfigurationEntry Entry, bool IsCommitted) _announcedConfiguration;
    private LogPosition? _removedAt;
    private LogPosition _configurationFloor;
    private long _floorVersion;
    private long _lossClearedVersion;
    private bool _hasUnsentMeta;
    private bool _isLossOnDisk;

    public RaftState(RaftOptions options, RaftBoot boot, IRaftLogView view, ulong seed)
    {
        var problems = options.Validate();
        Invariant.Check(problems.Count == 0, $"options: {string.Join("; ", problems)}");
        Options = options;
        Random = new RaftRandom(seed);
        Log = new LocalLog(boot, view, Effects, options.Defect);
        Self = new Member(options.Self, options.StorageId);
        HasLoss = boot.HasLoss && options.Defect != SeededDefect.LossFlagIgnored;
        _isLossOnDisk = boot.HasLoss;
        _configurationFloor = boot.ConfigurationFloor;
        HasLostConfiguration = HasLoss && Log.Effective.Position < boot.ConfigurationFloor;
        _announcedConfiguration = (Log.Effective, Log.IsConfigurationCommitted);
        Peers.SetMembers(PeerNodes());
        Role = boot.Passive ? RaftRole.Passive : RaftRole.Follower;
        PassiveReason = boot.PassiveReason;
        Term = boot.Term;
        VotedFor = boot.VotedFor;
        TermDurable = Term;
        if (Log.LastTerm > Term)
        {
            // Only damage of the meta file leads here. Whom this node voted for is unknown, so it must not vote again:
            // a vote for itself refuses everybody, and a campaign begins with the next term.
            Term = Log.LastTerm;
            VotedFor = options.Self;
            Persist();
        }

        if (!HasLoss)
        {
            MoveConfigurationFloor();
        }
    }

    public RaftOptions Options { get; }

    public RaftEffects Effects { get; } = new();

    public RaftRandom Random { get; }

    public LocalLog Log { get; }

    public PeerTable Peers { get; } = new();

    /// <summary>This node with its present storage.</summary>
    public Member Self { get; }

    /// <summary>The configuration in force here.</summary>
    public Configuration Configuration => Log.Effective.Configuration;

    /// <summary>
    /// Whether this node may campaign: it is a voter, or it was one until a configuration that may still not be committed. Only it may
    /// have that configuration, and then nobody else can win (thesis 4.2.2).
    /// </summary>
    public bool IsElectable => !IsRemoved && (IsVoter || Log.Committed.Configuration.IsVoter(Self));

    /// <summary>Whether this node counts itself.</summary>
    public bool IsVoter => Options.Defect == SeededDefect.WipedNodeCounts
        ? Configuration.IsVoter(Self.Node)
        : Configuration.IsVoter(Self);

    /// <summary>
    /// This node may have lost frames that it acknowledged, and did not get them back yet: it decides nothing, except together with
    /// all voters.
    /// </summary>
    public bool HasLoss { get; private set; }

    /// <summary>
    /// A configuration is among what was lost: who the voters are is unknown here, so that even all voters of the one left may not
    /// be the right ones. True only while <see cref="HasLoss"/> is.
    /// </summary>
    public bool HasLostConfiguration { get; private set; }

    /// <summary>A peer said that a committed configuration has no part for this node, and no newer one came since.</summary>
    public bool IsRemoved => _removedAt >= Log.Effective.Position;

    /// <summary>Never decreases (I2).</summary>
    public Term Term { get; private set; }

    /// <summary>At most one node per term (I2).</summary>
    public NodeId VotedFor { get; private set; }

    /// <summary>The term of the newest durable meta version; <c>TermDurable &lt;= Term</c>.</summary>
    public Term TermDurable { get; private set; }

    public RaftRole Role { get; private set; }

    public NodeId Leader { get; private set; }

    public string? PassiveReason { get; private set; }

    public string? HaltReason { get; private set; }

    public LogPosition Applied { get; set; }

    /// <summary>How full the own disk is; null before it was looked at.</summary>
    public int? DiskUsedPercent { get; set; }

    /// <summary>This node leads only when nobody else can: an operator wants it idle.</summary>
    public bool IsDrained { get; set; }

    /// <summary>When the oldest unfinished sync began; null when none is unfinished.</summary>
    public long? SyncStartedAt { get; set; }

    /// <summary>Version of the newest meta content wanted on disk.</summary>
    public long MetaVersion { get; private set; }

    /// <summary>Version of the newest meta content known to be on disk.</summary>
    public long MetaDurableVersion { get; private set; }

    public bool IsSelf(NodeId node) => node == Options.Self;

    public long SyncAge(long now) => SyncStartedAt is { } since ? Math.Max(0, now - since) : 0;

    /// <summary>Enters a higher term seen elsewhere, without a vote in it.</summary>
    public void AdoptTerm(Term term)
    {
        Invariant.Check(term > Term, $"I2: term {term} adopted in term {Term}");
        Term = term;
        VotedFor = NodeId.None;
        Persist();
    }

    /// <summary>Enters the next term with the own vote (V1).</summary>
    public void EnterNextTerm()
    {
        Term = Term.Next();
        VotedFor = Options.Self;
        Persist();
    }

    /// <summary>Gives this term's vote.</summary>
    public void VoteFor(NodeId candidate)
    {
        Invariant.Check(
            VotedFor == NodeId.None || VotedFor == candidate || Options.Defect == SeededDefect.TwoVotesInOneTerm,
            $"I2: vote for {candidate} in term {Term}, already given to {VotedFor}");
        if (VotedFor != candidate)
        {
            VotedFor = candidate;
            Persist();
        }
    }

    /// <summary>
    /// Synced, and if a configuration is part of it, a loss of that would be noticed: what this node may count itself for.
    /// </summary>
    public LogPosition OwnDurable => MetaDurableVersion >= _floorVersion
        ? Log.Durable
        : LogPosition.Min(Log.Durable, Log.Effective.Position);

    /// <summary>
    /// Once a configuration is synced, the meta file says so before any acknowledgement of it leaves (see <see cref="Send"/>).
    /// </summary>
    public void NoteDurableConfiguration()
    {
        if (Log.Effective.Position > _configurationFloor && Log.Effective.Position < Log.Durable)
        {
            MoveConfigurationFloor();
        }
    }

    /// <summary>Whether <see cref="FollowConfiguration"/> has something to do.</summary>
    public bool IsConfigurationNews => !ReferenceEquals(_announcedConfiguration.Entry, Log.Effective)
        || _announcedConfiguration.IsCommitted != Log.IsConfigurationCommitted;

    /// <summary>A committed configuration at that position has no part for this node.</summary>
    public void NoteRemoved(LogPosition position) =>
        _removedAt = _removedAt is { } known ? LogPosition.Max(known, position) : position;

    /// <summary>All that the node once helped to commit is durable here again; the flag falls when that is durable, too.</summary>
    public void ClearLoss()
    {
        if (HasLoss && _isLossOnDisk)
        {
            _isLossOnDisk = false;
            _configurationFloor = Log.Effective.Position;
            Persist();
            _lossClearedVersion = MetaVersion;
        }
    }

    /// <summary>
    /// Follows the configuration in force: who is a peer, and what the driver knows of it. Returns whether anything changed.
    /// </summary>
    public bool FollowConfiguration(long now)
    {
        if (!IsConfigurationNews)
        {
            return false;
        }

        var present = (Log.Effective, Log.IsConfigurationCommitted);

        _announcedConfiguration = present;
        var nodes = PeerNodes();
        foreach (var peer in Peers.SetMembers(nodes))
        {
            peer.Join(now, Log.End);
        }

        if (Log.Effective.Position < _configurationFloor)
        {
            MoveConfigurationFloor();
        }

        Effects.Add(new ConfigurationChanged(present.Effective, present.IsConfigurationCommitted, nodes));
        return true;
    }

    /// <summary>Notes that a meta version is on disk and lets go the messages that waited for it.</summary>
    public void AdvanceMetaDurable(long version)
    {
        Invariant.Check(version <= MetaVersion, $"meta version {version} durable, newest asked for is {MetaVersion}");
        MetaDurableVersion = Math.Max(MetaDurableVersion, version);
        while (_unwritten.TryPeek(out var unwritten) && unwritten.Version <= version)
        {
            TermDurable = _unwritten.Dequeue().Term;
        }

        if (_lossClearedVersion > 0 && MetaDurableVersion >= _lossClearedVersion)
        {
            HasLoss = false;
            HasLostConfiguration = false;
        }

        while (_held.TryPeek(out var held) && held.Version <= MetaDurableVersion)
        {
            Effects.Add(_held.Dequeue().Send);
        }
    }

    /// <summary>Sends a message as soon as all that it reveals is durable; in order.</summary>
    public void Send(NodeId peer, PeerMessage message)
    {
        var send = new Send(peer, message);
        if (MetaDurableVersion < MetaVersion && Options.Defect != SeededDefect.VoteBeforeMetaDurable)
        {
            _held.Enqueue((MetaVersion, send));
        }
        else
        {
            Effects.Add(send);
        }
    }

    /// <summary>Changes role and known leader and tells the driver when one of them or the term is new.</summary>
    public void SetRole(RaftRole role, NodeId leader)
    {
        Role = role;
        Leader = leader;
        if (_announced != (role, Term, leader))
        {
            _announced = (role, Term, leader);
            Effects.Add(new RoleChanged(role, Term, leader));
        }
    }

    /// <summary>
    /// Ends a call: asks for one write of the meta file, however often term and vote changed. A vote in a newer term costs one sync.
    /// </summary>
    public void FlushMeta()
    {
        if (_hasUnsentMeta)
        {
            _hasUnsentMeta = false;
            Effects.Add(new PersistMeta(MetaVersion, Term, VotedFor, _isLossOnDisk, _configurationFloor));
        }
    }

    /// <summary>Leaves <see cref="RaftRole.Passive"/>.</summary>
    public void Activate()
    {
        PassiveReason = null;
        SetRole(RaftRole.Follower, NodeId.None);
    }

    /// <summary>Ends all activity of the core.</summary>
    public void Halt(string reason)
    {
        if (HaltReason is null)
        {
            HaltReason = reason;
            Effects.Add(new Halt(reason));
        }
    }

    /// <summary>All members, and those of the last committed configuration: a removed node must hear that it is removed.</summary>
    private List<NodeId> PeerNodes() => [.. Log.Effective.Configuration.Members.Concat(Log.Committed.Configuration.Members)
        .Concat(Log.Configurations.Newest.Configuration.Members)
        .Select(member => member.Node).Where(node => node != Options.Self).Distinct().Order()];

    private void MoveConfigurationFloor()
    {
        if (!HasLostConfiguration && _configurationFloor != Log.Effective.Position)
        {
            _configurationFloor = Log.Effective.Position;
            Persist();
            _floorVersion = MetaVersion;
        }
    }

    private void Persist()
    {
        MetaVersion++;
        _unwritten.Enqueue((MetaVersion, Term));
        _hasUnsentMeta = true;
    }
}
