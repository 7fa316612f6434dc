using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Replication.Peers;

/// <summary>The first 48 bytes of every message between nodes.</summary>
/// <remarks>
/// Little-endian (raft-and-storage.md 2.14):
///   0        4      6       8            12          16        20         24           32      40       44         48
///   | magic  | type | flags | body bytes | headerCrc | group   | sender   | session    | term  | stream | reserved |
/// The checksum covers bytes 0 to 11 and 16 to 47. Flags hold <see cref="DiskUse"/> in answers to appends and are 0 elsewhere; reserved is
/// 0. A receiver that does not know what they mean ignores both.
/// Frozen by Golden/peer-messages-v2.hex.
/// </remarks>
public readonly record struct PeerMessageHeader(
    PeerMessageType Type, int BodyLength, RaftGroupId Group, NodeId Sender, long Session, Term Term, int Stream)
{
    /// <summary>Bytes of a header.</summary>
    public const int Length = 48;

    /// <summary>How full the sender's disk is: percent + 1, 0 when it does not say.</summary>
    public ushort DiskUse { get; init; }

    private const uint Magic = 0x31504C44; // "DLP1"

    /// <summary>Writes the header with its checksum.</summary>
    public void Write(Span<byte> destination)
    {
        var bytes = destination[..Length];
        bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)Type);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], DiskUse);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], BodyLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], Group.Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], Sender.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], Session);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[32..], Term.Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[40..], Stream);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], Checksum(bytes));
    }

    /// <summary>Reads a header; false with the fault when the bytes are not one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out PeerMessageHeader header, out string? fault)
    {
        header = default;
        if (bytes.Length < Length)
        {
            fault = $"a message header has {Length} bytes, not {bytes.Length}";
            return false;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
        {
            fault = "the message does not begin with the peer protocol's magic number";
            return false;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != Checksum(bytes))
        {
            fault = "the checksum of a message header is wrong";
            return false;
        }

        header = new PeerMessageHeader(
            (PeerMessageType)BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            new RaftGroupId(BinaryPrimitives.ReadInt32LittleEndian(bytes[16..])),
            new NodeId(BinaryPrimitives.ReadInt32LittleEndian(bytes[20..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            new Term(BinaryPrimitives.ReadInt64LittleEndian(bytes[32..])),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]))
        {
            DiskUse = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
        };
        if (header.BodyLength < 0 || header.Term.Value < 0)
        {
            fault = "a message header has a negative length or term";
            return false;
        }

        fault = null;
        return true;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) =>
        Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..Length]);
}
