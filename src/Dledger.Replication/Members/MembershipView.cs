using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Replication.Members;

/// <summary>What a leader sees when it decides about members. Immutable.</summary>
internal sealed record MembershipView
{
    /// <summary>Microseconds of the loop's monotonic clock.</summary>
    public required long Now { get; init; }

    /// <summary>The leader with its present storage.</summary>
    public required Member Self { get; init; }

    /// <summary>The configuration in force.</summary>
    public required Configuration Configuration { get; init; }

    /// <summary>It is simple and committed, so that another change may begin.</summary>
    public required bool IsSettled { get; init; }

    /// <summary>The other nodes to which a connection is open, with what they said of themselves.</summary>
    public required IReadOnlyDictionary<NodeId, ConnectedPeer> Peers { get; init; }

    /// <summary>Why other nodes do not let this one in.</summary>
    public IReadOnlyDictionary<NodeId, string> Refusals { get; init; } = new Dictionary<NodeId, string>();

    /// <summary>Whether this member could answer now.</summary>
    public bool IsReachable(Member member) =>
        member == Self || (Peers.TryGetValue(member.Node, out var peer) && !peer.IsFresh && peer.StorageId == member.StorageId);
}

/// <summary>A node at the other end of an open connection.</summary>
/// <param name="StorageId">The data directory that it has there.</param>
/// <param name="IsFresh">It has not taken over the cluster's identity yet.</param>
internal readonly record struct ConnectedPeer(Guid StorageId, bool IsFresh);
