using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// The durable watermark: everything below <see cref="Watermark"/> was durable before the slot was written, so a hole
/// there is damage and no interrupted write.
/// </summary>
/// <remarks>
/// One of two 512-byte slots in a segment's header page, little-endian: sequence 8, watermark 8, crc 4, zeros. The crc
/// is CRC-32C over the first 16 bytes, seeded like a frame header's. Sequence s lies in slot s % 2 and is counted over
/// the whole log: the valid slot with the highest one counts, as a truncation lowers the watermark.
/// </remarks>
internal readonly record struct WatermarkSlot(long Sequence, LogPosition Watermark)
{
    /// <summary>Bytes of a slot: one sector.</summary>
    public const int Bytes = 512;

    private const int FirstOffset = 1024;
    private const int Distance = 1024;

    /// <summary>Where the slot lies in its segment's file.</summary>
    public int FileOffset => FirstOffset + ((int)(Sequence & 1) * Distance);

    /// <summary>The newest valid slot of a header page, or null.</summary>
    public static WatermarkSlot? FindNewest(ReadOnlySpan<byte> page, ClusterSeed seed)
    {
        WatermarkSlot? newest = null;
        for (var slot = 0; slot < 2; slot++)
        {
            var bytes = page.Slice(FirstOffset + (slot * Distance), Bytes);
            var found = new WatermarkSlot(
                BinaryPrimitives.ReadInt64LittleEndian(bytes),
                new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..])));
            var crc = BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]);
            if (found.Sequence > 0
                && crc == Crc32C.Append(seed.Value, bytes[..16])
                && (newest is not { } best || found.Sequence > best.Sequence))
            {
                newest = found;
            }
        }

        return newest;
    }

    /// <summary>Writes the 512 bytes.</summary>
    public void Write(Span<byte> destination, ClusterSeed seed)
    {
        destination[..Bytes].Clear();
        BinaryPrimitives.WriteInt64LittleEndian(destination, Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], Watermark.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Crc32C.Append(seed.Value, destination[..16]));
    }
}
