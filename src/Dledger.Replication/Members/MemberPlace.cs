using Dledger.Primitives;

namespace Dledger.Replication.Members;

/// <summary>Where a configuration record says that a node is reached by the others.</summary>
/// <param name="Node">The node.</param>
/// <param name="Host">Name or address; empty when whoever cut the record did not know it.</param>
/// <param name="PeerPort">TCP port of the peer protocol; 0 with an empty host.</param>
internal readonly record struct MemberPlace(NodeId Node, string Host, int PeerPort);
