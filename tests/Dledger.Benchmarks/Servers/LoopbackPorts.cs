using System.Net;
using System.Net.Sockets;

namespace Dledger.Benchmarks.Servers;

/// <summary>Ports of 127.0.0.1 that are free at this moment.</summary>
internal static class LoopbackPorts
{
    public static int[] Find(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners)
        {
            listener.Start();
        }

        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }
}
