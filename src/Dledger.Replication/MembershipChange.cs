using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>What an operator wants of the members. Asking for the same again continues what has begun. Immutable.</summary>
public sealed record MembershipChange
{
    private MembershipChange(NodeId node, ClusterMember? place)
    {
        Node = node;
        Place = place;
    }

    /// <summary>The node that is to be a voter, or no member any more.</summary>
    public NodeId Node { get; }

    /// <summary>Where the node to add is reached; null for one that leaves.</summary>
    public ClusterMember? Place { get; }

    /// <summary>Whether the node is to leave.</summary>
    public bool IsRemoval => Place is null;

    /// <summary>
    /// The node at this address is to be a voter with the data directory that it has there. A voter that lost its directory
    /// is replaced so.
    /// </summary>
    public static MembershipChange Add(ClusterMember place) => new(place.Node, place);

    /// <summary>The node is to be no member any more.</summary>
    public static MembershipChange Remove(NodeId node) => new(node, null);
}
