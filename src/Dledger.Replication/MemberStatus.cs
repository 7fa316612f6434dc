using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>One member of the configuration in force at the node that says so.</summary>
/// <param name="Node">Its number. While a data directory is replaced, a node is listed with both.</param>
/// <param name="StorageId">The data directory that counts.</param>
/// <param name="Role">Its part.</param>
/// <param name="PeerAddress">Where the other nodes reach it, host:port; empty when nobody said.</param>
/// <param name="ClientAddress">Where clients reach it, host:port; empty when it did not say yet.</param>
public sealed record MemberStatus(
    NodeId Node, Guid StorageId, MemberRole Role, string PeerAddress, string ClientAddress);

/// <summary>The part that a member plays.</summary>
public enum MemberRole
{
    /// <summary>Decides.</summary>
    Voter,

    /// <summary>Receives everything and decides nothing.</summary>
    Learner,

    /// <summary>Will be a voter when the change under way is over; counts in its half of it.</summary>
    Joining,

    /// <summary>Will be no voter when the change under way is over; counts in its half of it.</summary>
    Leaving,
}
