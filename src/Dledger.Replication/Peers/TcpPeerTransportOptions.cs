using System.Net;
using Dledger.Primitives;

namespace Dledger.Replication.Peers;

/// <summary>How a node listens for and dials the other members.</summary>
public sealed record TcpPeerTransportOptions
{
    /// <summary>The group whose messages the connections carry.</summary>
    public RaftGroupId Group { get; init; } = RaftGroupId.First;

    /// <summary>Address to listen on; null listens on all addresses of both families.</summary>
    public IPAddress? ListenAddress { get; init; }

    /// <summary>TCP port to listen on; 0 takes a free one, see <see cref="TcpPeerTransport.Port"/>.</summary>
    public required int ListenPort { get; init; }

    /// <summary>The largest range of frames accepted in one append; the frame cap of the log, at least 1 MiB.</summary>
    public int AppendRangeBytesMax { get; init; } = 8 << 20;

    /// <summary>
    /// Sent bytes that stay unacknowledged by the peer's kernel for this long end a connection (TCP_USER_TIMEOUT).
    /// </summary>
    public TimeSpan UnacknowledgedMax { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait for the other side's Hello.</summary>
    public TimeSpan HandshakeMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections that may be inside their handshake at once; further ones are closed at once.</summary>
    public int HandshakeCountMax { get; init; } = 32;

    /// <summary>Wait before the first redial; it doubles, with jitter, up to <see cref="RedialDelayMax"/>.</summary>
    public TimeSpan RedialDelayMin { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Longest wait between two dials.</summary>
    public TimeSpan RedialDelayMax { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Wait after the peer refused this node for a reason that only an operator can change.</summary>
    public TimeSpan RefusedDelay { get; init; } = TimeSpan.FromSeconds(1);
}
