using System.Numerics;
using System.Runtime.InteropServices;

namespace Dledger.Primitives;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of every stored and sent structure.</summary>
/// <remarks>
/// One instruction takes eight bytes, but the next one waits three cycles for its result. So what is long enough goes in three lanes side by
/// side (<see cref="Crc32CLanes"/>), at two to three times the speed; what is short, or on a processor without the multiplication that joins
/// lanes, goes in one.
/// </remarks>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>
    /// The checksum of a sequence whose first part has the checksum <paramref name="crc"/> and whose second part is
    /// <paramref name="bytes"/>. 0 is the checksum of nothing, so it also serves as the seed.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes) =>
        bytes.Length >= Crc32CLanes.BytesMin && Crc32CLanes.IsSupported
            ? ~Crc32CLanes.Run(~crc, bytes)
            : ~Run(~crc, bytes);

    /// <summary>The register, not inverted, after <paramref name="bytes"/>, which follow on <paramref name="state"/>.</summary>
    internal static uint Run(uint state, ReadOnlySpan<byte> bytes)
    {
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            state = BitOperations.Crc32C(state, word);
        }

        foreach (var value in bytes[(bytes.Length & ~7)..])
        {
            state = BitOperations.Crc32C(state, value);
        }

        return state;
    }
}
