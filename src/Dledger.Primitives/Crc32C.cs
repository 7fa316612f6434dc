using System.Numerics;
using System.Runtime.InteropServices;

namespace Dledger.Primitives;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of every stored and sent structure.</summary>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>
    /// The checksum of a sequence whose first part has the checksum <paramref name="crc"/> and whose second part is
    /// <paramref name="bytes"/>. 0 is the checksum of nothing, so it also serves as the seed.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var state = ~crc;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            state = BitOperations.Crc32C(state, word);
        }

        foreach (var value in bytes[(bytes.Length & ~7)..])
        {
            state = BitOperations.Crc32C(state, value);
        }

        return ~state;
    }
}
