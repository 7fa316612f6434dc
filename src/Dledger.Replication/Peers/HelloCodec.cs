using Dledger.Primitives;
using Dledger.Raft.Peers;

namespace Dledger.Replication.Peers;

/// <summary>The bodies of Hello and HelloReply.</summary>
/// <remarks>
/// Hello: clusterId 16, storageId 16, formatLevel 4, state 1, term 8, lastTerm 8, start 8, end 8, durable 8, wallClock
/// 8, clientAddress (a length of 2 bytes and UTF-8, at most 300 bytes), checksum 4. HelloReply: accepted 1 and, if 1,
/// the same fields, if 0 a length of 2 bytes and the reason as UTF-8; checksum 4. Group, node and session are in the
/// header. The dialling node numbers the session in its Hello, and says in the header's stream field which
/// <see cref="PeerLane"/> it wants.
/// </remarks>
internal static class HelloCodec
{
    private const int ReasonBytesMax = 1 << 10;
    private const int AddressBytesMax = 300;

    /// <summary>Writes a whole Hello message.</summary>
    public static byte[] WriteHello(PeerIntroduction introduction, long session, PeerLane lane = PeerLane.Raft)
    {
        var buffer = new byte[PeerMessageHeader.Length + PeerMessageLimits.HelloBytesMax];
        var writer = new BodyWriter(buffer.AsSpan(PeerMessageHeader.Length));
        WriteIntroduction(ref writer, introduction);
        writer.WriteChecksum();
        return Finish(buffer, writer.Length, PeerMessageType.Hello, introduction, session, (int)lane);
    }

    /// <summary>Writes a whole HelloReply message: an introduction when <paramref name="refusal"/> is null.</summary>
    public static byte[] WriteReply(PeerIntroduction introduction, long session, string? refusal)
    {
        var buffer = new byte[PeerMessageHeader.Length + PeerMessageLimits.HelloBytesMax];
        var writer = new BodyWriter(buffer.AsSpan(PeerMessageHeader.Length));
        writer.WriteByte(refusal is null ? (byte)1 : (byte)0);
        if (refusal is null)
        {
            WriteIntroduction(ref writer, introduction);
        }
        else
        {
            writer.WriteText(refusal, ReasonBytesMax);
        }

        writer.WriteChecksum();
        return Finish(buffer, writer.Length, PeerMessageType.HelloReply, introduction, session);
    }

    /// <summary>Reads a Hello; null when it is not one.</summary>
    public static PeerIntroduction? TryReadHello(in PeerMessageHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Type != PeerMessageType.Hello || !BodyReader.TryOpen(body, out var reader))
        {
            return null;
        }

        var introduction = ReadIntroduction(header, ref reader);
        return reader.IsExhausted && introduction.Node != NodeId.None ? introduction : null;
    }

    /// <summary>Reads a HelloReply: an introduction, or the reason of a refusal; false when it is neither.</summary>
    public static bool TryReadReply(
        in PeerMessageHeader header, ReadOnlySpan<byte> body, out PeerIntroduction? introduction, out string? refusal)
    {
        introduction = null;
        refusal = null;
        if (header.Type != PeerMessageType.HelloReply || !BodyReader.TryOpen(body, out var reader))
        {
            return false;
        }

        if (reader.ReadFlag())
        {
            introduction = ReadIntroduction(header, ref reader);
        }
        else
        {
            refusal = reader.ReadText();
        }

        return reader.IsExhausted;
    }

    private static byte[] Finish(
        byte[] buffer,
        int bodyLength,
        PeerMessageType type,
        PeerIntroduction introduction,
        long session,
        int stream = 0)
    {
        var header = new PeerMessageHeader(
            type, bodyLength, introduction.Group, introduction.Node, session, introduction.Term, stream);
        header.Write(buffer);
        return buffer[..(PeerMessageHeader.Length + bodyLength)];
    }

    private static void WriteIntroduction(ref BodyWriter writer, PeerIntroduction introduction)
    {
        writer.WriteGuid(introduction.ClusterId);
        writer.WriteGuid(introduction.StorageId);
        writer.WriteInt32(introduction.FormatLevel);
        writer.WriteByte((byte)introduction.State);
        writer.WriteInt64(introduction.Term.Value);
        writer.WriteInt64(introduction.LastTerm.Value);
        writer.WriteInt64(introduction.Start.Value);
        writer.WriteInt64(introduction.End.Value);
        writer.WriteInt64(introduction.Durable.Value);
        writer.WriteInt64(introduction.WallClock);
        writer.WriteText(introduction.ClientAddress, AddressBytesMax);
    }

    private static PeerIntroduction ReadIntroduction(in PeerMessageHeader header, ref BodyReader reader) => new()
    {
        Group = header.Group,
        Node = header.Sender.Value is > 0 and <= NodeId.ValueMax ? header.Sender : NodeId.None,
        ClusterId = reader.ReadGuid(),
        StorageId = reader.ReadGuid(),
        FormatLevel = reader.ReadInt32(),
        State = (PeerState)reader.ReadByte(),
        Term = reader.ReadTerm(),
        LastTerm = reader.ReadTerm(),
        Start = reader.ReadPosition(),
        End = reader.ReadPosition(),
        Durable = reader.ReadPosition(),
        WallClock = reader.ReadInt64(),
        ClientAddress = reader.ReadText(),
    };
}
