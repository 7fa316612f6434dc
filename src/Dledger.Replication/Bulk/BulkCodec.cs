using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Replication.Peers;

namespace Dledger.Replication.Bulk;

/// <summary>Bulk requests and answers as bytes.</summary>
/// <remarks>
/// Both have the header of all peer messages, in which term and stream are 0. Little-endian bodies:
/// request: kind 1, snapshot 4, part 4, position or offset 8, bytesMax 4, checksum 4 over all before it;
/// answer: outcome 1, reserved 3, length 4, checksum 4 over all but itself, bytes.
/// Frozen by Golden/bulk-messages-v1.hex.
/// </remarks>
internal static class BulkCodec
{
    public const int RequestBodyBytes = 25;
    public const int ReplyFixedBytes = 12;

    private const byte LogKind = 1;
    private const byte OpenKind = 2;
    private const byte ManifestKind = 3;
    private const byte PartKind = 4;

    /// <summary>A whole request message.</summary>
    public static byte[] Write(BulkRequest request, RaftGroupId group, NodeId sender, long session)
    {
        var message = new byte[PeerMessageHeader.Length + RequestBodyBytes];
        new PeerMessageHeader(
            PeerMessageType.BulkRequest, RequestBodyBytes, group, sender, session, Term.Zero, Stream: 0).Write(message);
        var writer = new BodyWriter(message.AsSpan(PeerMessageHeader.Length));
        var (kind, snapshot, part, position, bytesMax) = request switch
        {
            ReadLogRange log => (LogKind, 0u, 0, log.From.Value, log.BytesMax),
            OpenSnapshot => (OpenKind, 0u, 0, 0L, 0),
            ReadSnapshotManifest manifest => (ManifestKind, manifest.Snapshot, 0, manifest.Offset, manifest.BytesMax),
            ReadSnapshotPart piece => (PartKind, piece.Snapshot, piece.Part, piece.Offset, piece.BytesMax),
            _ => throw new InvariantViolationException($"no wire form for {request.GetType().Name}"),
        };
        writer.WriteByte(kind);
        writer.WriteUInt32(snapshot);
        writer.WriteInt32(part);
        writer.WriteInt64(position);
        writer.WriteInt32(bytesMax);
        writer.WriteChecksum();
        return message;
    }

    /// <summary>Reads the body of a request; null when it is not one.</summary>
    public static BulkRequest? TryReadRequest(ReadOnlySpan<byte> body)
    {
        if (!BodyReader.TryOpen(body, out var reader))
        {
            return null;
        }

        var kind = reader.ReadByte();
        var snapshot = reader.ReadUInt32();
        var part = reader.ReadInt32();
        var position = reader.ReadInt64();
        var bytesMax = reader.ReadInt32();
        if (!reader.IsExhausted || part < 0 || position < 0 || bytesMax < 0)
        {
            return null;
        }

        return kind switch
        {
            LogKind => new ReadLogRange(new LogPosition(position), bytesMax),
            OpenKind => new OpenSnapshot(),
            ManifestKind when position <= int.MaxValue => new ReadSnapshotManifest(snapshot, (int)position, bytesMax),
            PartKind => new ReadSnapshotPart(snapshot, part, position, bytesMax),
            _ => null,
        };
    }

    /// <summary>The header and the fixed part of an answer; its bytes follow.</summary>
    public static byte[] WriteHead(BulkReply reply, RaftGroupId group, NodeId sender, long session)
    {
        var message = new byte[PeerMessageHeader.Length + ReplyFixedBytes];
        new PeerMessageHeader(
            PeerMessageType.BulkReply,
            ReplyFixedBytes + reply.Bytes.Length,
            group,
            sender,
            session,
            Term.Zero,
            Stream: 0).Write(message);
        var body = message.AsSpan(PeerMessageHeader.Length);
        body[0] = (byte)reply.Outcome;
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], reply.Bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(body[8..], Checksum(body, reply.Bytes.Span));
        return message;
    }

    /// <summary>Reads the body of an answer; null when it is not one. The bytes are a slice of the body.</summary>
    public static BulkReply? TryReadReply(ReadOnlyMemory<byte> body)
    {
        var span = body.Span;
        if (span.Length < ReplyFixedBytes
            || BinaryPrimitives.ReadInt32LittleEndian(span[4..]) != span.Length - ReplyFixedBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(span[8..]) != Checksum(span, span[ReplyFixedBytes..])
            || span[0] is < (byte)BulkOutcome.Found or > (byte)BulkOutcome.Unavailable)
        {
            return null;
        }

        return new BulkReply((BulkOutcome)span[0], body[ReplyFixedBytes..]);
    }

    private static uint Checksum(ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes) =>
        Crc32C.Append(Crc32C.Compute(head[..8]), bytes);
}
