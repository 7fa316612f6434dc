using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Dledger.Bench.Machines;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Bench;

/// <summary>Which nodes of a cluster run on this machine: their CPU belongs to the result and is no neighbour's.</summary>
internal static class LocalNodes
{
    /// <summary>Process ids of those that were found.</summary>
    public static IReadOnlyList<int> Find(ClusterDescription cluster)
    {
        var own = OwnAddresses();
        var ports = cluster.Nodes.Select(node => PortHere(node.ClientAddress, own)).OfType<int>().ToHashSet();
        return ports.Count == 0 ? [] : NodeProcesses.Listeners(ports);
    }

    private static HashSet<IPAddress> OwnAddresses() =>
    [
        .. from network in NetworkInterface.GetAllNetworkInterfaces()
           from address in network.GetIPProperties().UnicastAddresses
           select address.Address,
    ];

    private static int? PortHere(string address, HashSet<IPAddress> own)
    {
        var colon = address.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return null;
        }

        var host = address[..colon].Trim('[', ']');
        var isHere = host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var parsed) && (IPAddress.IsLoopback(parsed) || own.Contains(parsed)));
        return isHere ? port : null;
    }
}
