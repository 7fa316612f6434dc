using System.Buffers.Binary;

namespace Dledger.Bench.Measuring;

/// <summary>What the first bytes of each body say: of which run it is, and when it should have been sent.</summary>
/// <remarks>
/// 24 bytes, little-endian; the rest of a body is noise that does not compress, but for what a load wants to repeat.
///   0          4         8                       16                 24
///   | "DLBM"   | run     | intended time, ns     | sequence number  |
/// The time is that of the clock of one process, so it means something only to the run that wrote it.
/// </remarks>
internal static class MessageStamp
{
    /// <summary>The smallest body.</summary>
    public const int Bytes = 24;

    private const uint Magic = 0x4D424C44;

    public static void Write(Span<byte> body, uint run, long intended, long sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(body, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], run);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], intended);
        BinaryPrimitives.WriteInt64LittleEndian(body[16..], sequence);
    }

    /// <summary>False for a body of somebody else, or of another run.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, uint run, out long intended)
    {
        intended = 0;
        if (body.Length < Bytes
            || BinaryPrimitives.ReadUInt32LittleEndian(body) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(body[4..]) != run)
        {
            return false;
        }

        intended = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        return true;
    }
}
