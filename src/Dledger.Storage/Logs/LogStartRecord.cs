using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Where a log begins: everything below was given up, a segment that begins later is missing.</summary>
/// <remarks>
/// One of four slots, each at the start of a page of 4096 bytes, little-endian:
///   0       8     12        16         24     32          48          64      72          76            80
///   | magic | crc | version | sequence | zero | clusterId | storageId | start | headerCrc | frameLength |
///   80     88        96    512
///   | term | logTime | zeros |
/// The last five fields are those of the frame that ends at start; crc is CRC-32C over bytes 12..511. Frozen by
/// Golden/logstart-v1.hex.
/// </remarks>
internal sealed record LogStartRecord(long Sequence, ChainTail Start)
{
    /// <summary>Bytes of a slot: one sector.</summary>
    public const int Bytes = 512;

    private const ulong Magic = 0x3154_5241_5453_4C44; // "DLSTART1"
    private const uint Version = 1;
    private const int CrcStart = 12;

    /// <summary>Reads a slot of this log; null when the bytes are anything else.</summary>
    public static LogStartRecord? Parse(ReadOnlySpan<byte> slot, LogIdentity identity)
    {
        if (slot.Length < Bytes
            || BinaryPrimitives.ReadUInt64LittleEndian(slot) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[8..]) != Crc32C.Compute(slot[CrcStart..Bytes])
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]) != Version
            || new Guid(slot.Slice(32, 16), bigEndian: true) != identity.ClusterId
            || new Guid(slot.Slice(48, 16), bigEndian: true) != identity.StorageId)
        {
            return null;
        }

        return new LogStartRecord(
            BinaryPrimitives.ReadInt64LittleEndian(slot[16..]),
            new ChainTail(
                new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(slot[64..])),
                BinaryPrimitives.ReadUInt32LittleEndian(slot[72..]),
                BinaryPrimitives.ReadInt32LittleEndian(slot[76..]),
                new Term(BinaryPrimitives.ReadInt64LittleEndian(slot[80..])),
                BinaryPrimitives.ReadInt64LittleEndian(slot[88..])));
    }

    /// <summary>Writes the 512 bytes.</summary>
    public void Write(Span<byte> slot, LogIdentity identity)
    {
        slot[..Bytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(slot, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(slot[16..], Sequence);
        identity.ClusterId.TryWriteBytes(slot[32..], bigEndian: true, out _);
        identity.StorageId.TryWriteBytes(slot[48..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(slot[64..], Start.End.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[72..], Start.HeaderCrc);
        BinaryPrimitives.WriteInt32LittleEndian(slot[76..], Start.FrameLength);
        BinaryPrimitives.WriteInt64LittleEndian(slot[80..], Start.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(slot[88..], Start.LogTime);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[8..], Crc32C.Compute(slot[CrcStart..Bytes]));
    }
}
