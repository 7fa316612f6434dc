using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>One configured member of the cluster. The host name is resolved at every connect.</summary>
/// <param name="Node">Its number, 1 to 255.</param>
/// <param name="Host">Name or address under which the others reach it.</param>
/// <param name="PeerPort">TCP port of the peer protocol.</param>
public sealed record ClusterMember(NodeId Node, string Host, int PeerPort);
