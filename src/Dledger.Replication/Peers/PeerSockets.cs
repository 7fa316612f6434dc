using System.Net;
using System.Net.Sockets;

namespace Dledger.Replication.Peers;

/// <summary>Makes the blocking sockets of the peer protocol.</summary>
/// <remarks>
/// Blocking calls on dedicated threads keep replication independent of the thread pool, which request handlers may
/// exhaust (raft-and-storage.md 4.3). No call on these sockets may be an asynchronous one: it would make them
/// non-blocking for good.
/// </remarks>
internal static class PeerSockets
{
    private const int TcpLevel = 6;
    private const int TcpSynCount = 7;
    private const int TcpUserTimeout = 18;

    /// <summary>A listening socket.</summary>
    public static Socket Listen(IPAddress? address, int port)
    {
        var family = address?.AddressFamily
            ?? (Socket.OSSupportsIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address is null && family == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = true;
            }

            var any = family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
            socket.Bind(new IPEndPoint(address ?? any, port));
            socket.Listen(64);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket that is not yet connected, with <see cref="Tune"/> applied.</summary>
    public static Socket Create(AddressFamily family, TimeSpan unacknowledgedMax)
    {
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        Tune(socket, unacknowledgedMax);

        // Without this a dial towards a machine that is switched off would block for minutes.
        TrySetOption(socket, TcpSynCount, 1);
        return socket;
    }

    /// <summary>
    /// Connects to a member, with the time limits of a handshake set. The name is resolved for every dial: a member that was moved
    /// is found again.
    /// </summary>
    /// <param name="member">Whom to dial.</param>
    /// <param name="options">Time limits.</param>
    /// <param name="begun">Gets each socket before it dials, so that another thread can end the attempt.</param>
    /// <exception cref="SocketException">No address answers.</exception>
    public static Socket Connect(ClusterMember member, TcpPeerTransportOptions options, Action<Socket> begun)
    {
        var addresses = IPAddress.TryParse(member.Host, out var literal)
            ? [literal]
            : Dns.GetHostAddresses(member.Host);
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = Create(address.AddressFamily, options.UnacknowledgedMax);
            try
            {
                begun(socket);
                socket.ReceiveTimeout = (int)options.HandshakeMax.TotalMilliseconds;
                socket.SendTimeout = (int)options.HandshakeMax.TotalMilliseconds;
                socket.Connect(new IPEndPoint(address, member.PeerPort));
                return socket;
            }
            catch (SocketException fault)
            {
                last = fault;
                socket.Dispose();
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>Sets the options that both directions share.</summary>
    public static void Tune(Socket socket, TimeSpan unacknowledgedMax)
    {
        socket.NoDelay = true;
        TrySetOption(socket, TcpUserTimeout, (int)unacknowledgedMax.TotalMilliseconds);
    }

    private static void TrySetOption(Socket socket, int option, int value)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            socket.SetRawSocketOption(TcpLevel, option, BitConverter.GetBytes(value));
        }
        catch (SocketException)
        {
            // A kernel without the option detects dead peers later; heart-beats still do.
        }
    }
}
