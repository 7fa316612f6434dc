using System.Net;
using System.Net.Sockets;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Nodes;
using Dledger.Primitives;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Routing;

/// <summary>Chooses the addresses that a route names, by what the client's library makes of them. Safe for any thread.</summary>
/// <remarks>
/// Every node forwards to the leader, so every address serves; what differs is how soon a client gets over a lost leader.
/// Producers of Node.js keep their first route for life and take one address only: they are told the node that they asked.
/// All others are told every node, the leader first, and their balancer fails over by itself, when all hosts are IP
/// addresses of one family. With host names two libraries accept exactly one: the leader's, or while none is known that of
/// the node that they asked.
/// </remarks>
internal sealed class RouteEndpoints(FrontendOptions options, NodeDirectory nodes)
{
    /// <summary>How the Node.js library names its language in the metadata, now and should it correct itself.</summary>
    private static readonly string[] NodeJsLanguages = ["HTTP", "NODE_JS"];

    /// <summary>The endpoints for this client; never without an address.</summary>
    public Wire.Endpoints For(ClientCall call, NodeId leader)
    {
        var asked = Node(call.ForwardedBy ?? options.Self) ?? Node(options.Self)!;
        if (IsNodeJs(call))
        {
            return Of(asked);
        }

        var members = nodes.Members;
        return CommonScheme(members) == Wire.AddressScheme.DomainName
            ? Of(Node(leader) ?? asked)
            : Of([.. members.OrderBy(node => node.Id != leader).ThenBy(node => node.Id)]);
    }

    /// <summary>Whether a call comes from the Node.js library.</summary>
    public static bool IsNodeJs(ClientCall call) =>
        NodeJsLanguages.Contains(call.Language, StringComparer.OrdinalIgnoreCase);

    /// <summary>One address, or several of one scheme.</summary>
    public static Wire.Endpoints Of(params FrontendNode[] nodes)
    {
        var endpoints = new Wire.Endpoints { Scheme = SchemeOf(nodes[0]) };
        endpoints.Addresses.AddRange(
            nodes.Select(node => new Wire.Address { Host = node.ClientHost, Port = node.ClientPort }));
        return endpoints;
    }

    private static Wire.AddressScheme SchemeOf(FrontendNode node) =>
        !IPAddress.TryParse(node.ClientHost, out var address) ? Wire.AddressScheme.DomainName
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? Wire.AddressScheme.Ipv6
        : Wire.AddressScheme.Ipv4;

    /// <summary>The scheme of all nodes; a mixture counts as names.</summary>
    private static Wire.AddressScheme CommonScheme(IReadOnlyList<FrontendNode> nodes)
    {
        var first = SchemeOf(nodes[0]);
        return nodes.All(node => SchemeOf(node) == first) ? first : Wire.AddressScheme.DomainName;
    }

    private FrontendNode? Node(NodeId id) => nodes.Find(id);
}
