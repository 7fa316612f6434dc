using Dledger.Primitives;

namespace Dledger.Frontend;

/// <summary>One node of the cluster as clients and the other front ends reach it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="ClientHost">Host name or IP address that clients are told.</param>
/// <param name="ClientPort">Port that clients are told, 1..65535.</param>
/// <param name="PeerAddress">Host and port for replication, for status answers; empty for a node alone.</param>
public sealed record FrontendNode(NodeId Id, string ClientHost, int ClientPort, string PeerAddress = "")
{
    /// <summary>Host and port as one text.</summary>
    public string ClientAddress => ClientHost.Contains(':', StringComparison.Ordinal)
        ? $"[{ClientHost}]:{ClientPort}"
        : $"{ClientHost}:{ClientPort}";
}
