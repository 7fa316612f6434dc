using System.Net;
using Dledger.Frontend;
using Dledger.Server.Options;

namespace Dledger.Server;

/// <summary>What clients and nodes are told about where the nodes are.</summary>
internal static class AdvertisedAddress
{
    /// <summary>The host of this node for clients, from the list of nodes or the options of a node alone.</summary>
    public static string HostOf(ServerOptions options)
    {
        if (options.Nodes.FirstOrDefault(node => node.Id == options.NodeId) is { } self)
        {
            return self.ClientHost;
        }

        if (options.Client.AdvertisedHost is { } host)
        {
            return host;
        }

        var address = IPAddress.Parse(options.Client.ListenAddress);
        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            ? Dns.GetHostName()
            : address.ToString();
    }

    /// <summary>All nodes as the front end sees them.</summary>
    public static IReadOnlyList<FrontendNode> NodesOf(ServerOptions options, int boundPort)
    {
        if (options.Nodes.Count == 0)
        {
            var port = options.Client.AdvertisedPort == 0 ? boundPort : options.Client.AdvertisedPort;
            return [new FrontendNode(options.NodeId, HostOf(options), port)];
        }

        return [.. options.Nodes.Select(node => new FrontendNode(
            node.Id, node.ClientHost, node.ClientPort, $"{node.Host}:{node.PeerPort}"))];
    }
}
