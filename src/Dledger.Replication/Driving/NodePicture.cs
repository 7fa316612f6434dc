using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Peers;

namespace Dledger.Replication.Driving;

/// <summary>What the replication loop publishes after each turn. Immutable.</summary>
internal sealed record NodePicture
{
    public required ReplicationRole Role { get; init; }

    public required Guid ClusterId { get; init; }

    public required PeerState State { get; init; }

    public required Term Term { get; init; }

    /// <summary>The newest term whose metadata is durable: what a Hello may reveal.</summary>
    public required Term DurableTerm { get; init; }

    public required NodeId Leader { get; init; }

    public required Term LastTerm { get; init; }

    public required LogPosition Start { get; init; }

    public required LogPosition Commit { get; init; }

    public required LogPosition End { get; init; }

    public required LogPosition Durable { get; init; }

    /// <summary>See <see cref="Installing.SnapshotAttachment"/>; goes with the start of the log.</summary>
    public ReadOnlyMemory<byte> SnapshotAttachment { get; init; }

    public required IReadOnlyList<PeerStatus> Peers { get; init; }

    /// <summary>Everyone in the configuration in force; empty before the log is open.</summary>
    public IReadOnlyList<MemberStatus> Members { get; init; } = [];

    public bool IsMember { get; init; }

    public bool IsDrained { get; init; }

    public string? UnavailableReason { get; init; }

    public bool IsStopping { get; init; }

    /// <summary>The other members as a status shows them; positions and contacts mean something on a leader only.</summary>
    public static IReadOnlyList<PeerStatus> PeersOf(RaftCore core, long now)
    {
        var isLeader = core.Role == RaftRole.Leader;
        var progress = core.Peers;
        var peers = new PeerStatus[progress.Count];
        for (var i = 0; i < peers.Length; i++)
        {
            var peer = progress[i];
            peers[i] = new PeerStatus(
                peer.Node,
                peer.IsConnected,
                isLeader ? peer.Match : LogPosition.Zero,
                isLeader ? Math.Max(0, core.End - peer.Match) : 0,
                isLeader && peer.LastContact > 0 ? TimeSpan.FromMicroseconds(now - peer.LastContact) : null,
                isLeader ? peer.DiskUsedPercent : null);
        }

        return peers;
    }

    /// <summary>A node that takes no part, for a reason.</summary>
    public static NodePicture Unavailable(Guid clusterId, PeerState state, Term term, string reason) => new()
    {
        Role = ReplicationRole.Passive,
        ClusterId = clusterId,
        State = state,
        Term = term,
        DurableTerm = term,
        Leader = NodeId.None,
        LastTerm = Term.Zero,
        Start = LogPosition.Zero,
        Commit = LogPosition.Zero,
        End = LogPosition.Zero,
        Durable = LogPosition.Zero,
        Peers = [],
        UnavailableReason = reason,
    };

    /// <summary>The role in the words of a status.</summary>
    public static ReplicationRole RoleOf(RaftRole role) => role switch
    {
        RaftRole.Passive => ReplicationRole.Passive,
        RaftRole.Follower => ReplicationRole.Follower,
        RaftRole.PreCandidate => ReplicationRole.PreCandidate,
        RaftRole.Candidate => ReplicationRole.Candidate,
        RaftRole.Leader => ReplicationRole.Leader,
        _ => throw new InvariantViolationException($"unknown role {role}"),
    };
}
