using Dledger.Primitives;

namespace Dledger.Server.Options;

/// <summary>One node of the cluster as the configuration names it; the same list stands on every node.</summary>
/// <remarks>
/// Keys <c>nodes.#.id</c> (1..255), <c>host</c> and <c>peerPort</c> (where the other nodes reach it; port 1..65535),
/// <c>clientHost</c> and <c>clientPort</c> (what clients are told; default: <c>host</c> and 8081).
/// </remarks>
public sealed record NodeAddress(NodeId Id, string Host, int PeerPort, string ClientHost, int ClientPort);
