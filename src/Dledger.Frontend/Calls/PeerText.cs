using System.Net;

namespace Dledger.Frontend.Calls;

/// <summary>Reads gRPC's text for the other end of a connection: <c>ipv4:host:port</c> or <c>ipv6:[host]:port</c>.</summary>
internal static class PeerText
{
    /// <summary>The IP address; empty when there is none.</summary>
    public static string AddressOf(string peer)
    {
        var colon = peer.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && IPEndPoint.TryParse(peer.AsSpan(colon + 1), out var place) ? place.Address.ToString() : "";
    }
}
