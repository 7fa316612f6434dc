using System.Net.Sockets;
using Dledger.Primitives;
using Dledger.Replication.Bulk;

namespace Dledger.Replication.Peers;

/// <summary>The answering side of a bulk connection: one request at a time, on the connection's own thread.</summary>
internal sealed class BulkConnection(Socket socket, SocketReader reader, RaftGroupId group, NodeId peer, long session)
    : IDisposable
{
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(60);

    /// <summary>The node that asks.</summary>
    public NodeId Peer => peer;

    /// <summary>Answers until the peer hangs up, breaks the protocol or asks nothing for a while.</summary>
    public void Run(NodeId self, IPeerEvents events)
    {
        socket.ReceiveTimeout = (int)IdleMax.TotalMilliseconds;
        socket.SendTimeout = (int)IdleMax.TotalMilliseconds;
        while (TryReadRequest() is { } request)
        {
            var reply = events.Serve(peer, request);
            SendAll(BulkCodec.WriteHead(reply, group, self, session));
            SendAll(reply.Bytes.Span);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private BulkRequest? TryReadRequest()
    {
        var bytes = reader.ReadSmall(PeerMessageHeader.Length);
        if (bytes.IsEmpty
            || !PeerMessageHeader.TryParse(bytes.Span, out var header, out _)
            || header.Type != PeerMessageType.BulkRequest
            || header.Sender != peer
            || header.Session != session
            || header.Group != group
            || header.BodyLength != BulkCodec.RequestBodyBytes)
        {
            return null;
        }

        return BulkCodec.TryReadRequest(reader.ReadSmall(BulkCodec.RequestBodyBytes).Span);
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }
}
