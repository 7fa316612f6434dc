using System.Net.Sockets;
using Dledger.Primitives;

namespace Dledger.Replication.Peers;

/// <summary>The first exchange on a connection: Hello from the node that dialled, HelloReply from the other.</summary>
/// <remarks>Blocking; the caller bounds it with the socket's time limits.</remarks>
internal static class PeerHandshake
{
    /// <summary>The dialling side.</summary>
    /// <returns>The peer's introduction, or null with the reason.</returns>
    public static PeerIntroduction? Dial(
        Socket socket,
        SocketReader reader,
        NodeId peer,
        long session,
        PeerLane lane,
        IPeerEvents events,
        out string? refusal)
    {
        var own = events.Introduce();
        SendAll(socket, HelloCodec.WriteHello(own, session, lane));
        if (!TryRead(reader, own.Group, out var header, out var body, out refusal))
        {
            return null;
        }

        if (!HelloCodec.TryReadReply(header, body.Span, out var introduction, out var peerRefusal))
        {
            refusal = "it does not answer with a HelloReply";
            return null;
        }

        if (introduction is null)
        {
            refusal = $"it refuses this node: {peerRefusal}";
            return null;
        }

        refusal = introduction.Node != peer
            ? $"node {introduction.Node} answers at its address"
            : FindLevelFault(introduction) ?? events.Judge(introduction);
        return refusal is null ? introduction : null;
    }

    /// <summary>
    /// The accepting side. A stranger that speaks no Hello gets no answer; a wrong member gets the reason.
    /// </summary>
    /// <returns>The peer's introduction, or null with the reason.</returns>
    public static PeerIntroduction? Accept(
        Socket socket,
        SocketReader reader,
        IPeerEvents events,
        out long session,
        out PeerLane lane,
        out string? refusal)
    {
        session = 0;
        lane = PeerLane.Raft;
        var own = events.Introduce();
        if (!TryRead(reader, own.Group, out var header, out var body, out refusal))
        {
            return null;
        }

        if (HelloCodec.TryReadHello(header, body.Span) is not { } introduction)
        {
            refusal = "it does not begin with a Hello";
            return null;
        }

        session = header.Session;
        lane = (PeerLane)header.Stream;
        refusal = lane is PeerLane.Raft or PeerLane.Bulk
            ? FindLevelFault(introduction) ?? events.Judge(introduction)
            : $"lane {header.Stream} is not known";
        SendAll(socket, HelloCodec.WriteReply(own, session, refusal));
        return refusal is null ? introduction : null;
    }

    private static bool TryRead(
        SocketReader reader,
        RaftGroupId group,
        out PeerMessageHeader header,
        out ReadOnlyMemory<byte> body,
        out string? refusal)
    {
        header = default;
        body = default;
        var bytes = reader.ReadSmall(PeerMessageHeader.Length);
        if (bytes.IsEmpty)
        {
            refusal = "it closed the connection before its Hello";
            return false;
        }

        if (!PeerMessageHeader.TryParse(bytes.Span, out header, out refusal))
        {
            return false;
        }

        if (header.Type is not (PeerMessageType.Hello or PeerMessageType.HelloReply)
            || header.BodyLength > PeerMessageLimits.HelloBytesMax)
        {
            refusal = "it does not begin with a Hello";
            return false;
        }

        if (header.Group != group)
        {
            refusal = $"it speaks for group {header.Group}, not {group}";
            return false;
        }

        body = reader.ReadSmall(header.BodyLength);
        refusal = body.Length == header.BodyLength ? null : "it closed the connection inside its Hello";
        return refusal is null;
    }

    private static string? FindLevelFault(PeerIntroduction introduction) =>
        introduction.FormatLevel == PeerIntroduction.FormatLevelCurrent
            ? null
            : $"format level {introduction.FormatLevel} is not {PeerIntroduction.FormatLevelCurrent}";

    private static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }
}
