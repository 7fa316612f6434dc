using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace Dledger.Primitives;

/// <summary>CRC-32C of a piece in three lanes of equal length, whose registers are joined at the end.</summary>
/// <remarks>
/// <code>
///   | lane a: n words | lane b: n words | lane c: n words | fewer than three words more |
/// </code>
/// The checksum is linear: that of "a, then b" is that of a, moved by the length of b, xor that of b from zero. To move a register by n bits is
/// to multiply it by x^n modulo the polynomial. Here the carry-less product of two registers is taken through the CRC instruction, which
/// itself multiplies by x^32 and reduces; with the one bit by which a product of reflected numbers is off, the constant for n bits is x^(n-33).
/// Method: V. Gopal and others, Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction, Intel 2011. Stateless; any thread.
/// </remarks>
internal static class Crc32CLanes
{
    /// <summary>Below this many bytes the joining costs more than the lanes save.</summary>
    public const int BytesMin = 512;

    private const int WordBytes = sizeof(ulong);
    private const int LaneCount = 3;

    /// <summary>Longest lane: 1 KiB, so that the constants stay small and one round's bytes stay in the nearest cache.</summary>
    private const int LaneWordsMax = 128;

    /// <summary>The polynomial, reflected.</summary>
    private const uint Polynomial = 0x82F63B78;

    /// <summary>At n: what moves a register by n words.</summary>
    private static readonly uint[] MoveByWords = MakeMoves();

    /// <summary>Whether this processor multiplies without carries; the CRC itself is emulated where it is not there.</summary>
    public static bool IsSupported => BitConverter.IsLittleEndian && (Pclmulqdq.IsSupported || ArmAes.IsSupported);

    /// <summary>The register, not inverted, after <paramref name="bytes"/>, which follow on <paramref name="state"/>.</summary>
    public static uint Run(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= BytesMin)
        {
            var words = Math.Min(bytes.Length / (LaneCount * WordBytes), LaneWordsMax);
            state = RunLanes(state, MemoryMarshal.Cast<byte, ulong>(bytes), words);
            bytes = bytes[(words * LaneCount * WordBytes)..];
        }

        return Crc32C.Run(state, bytes);
    }

    private static uint RunLanes(uint state, ReadOnlySpan<ulong> source, int words)
    {
        // The slices check the bounds once for all that the loop reads.
        ref var first = ref MemoryMarshal.GetReference(source[..words]);
        ref var second = ref MemoryMarshal.GetReference(source.Slice(words, words));
        ref var third = ref MemoryMarshal.GetReference(source.Slice(2 * words, words));
        uint a = state, b = 0, c = 0;
        for (nint i = 0; i < words; i++)
        {
            a = BitOperations.Crc32C(a, Unsafe.Add(ref first, i));
            b = BitOperations.Crc32C(b, Unsafe.Add(ref second, i));
            c = BitOperations.Crc32C(c, Unsafe.Add(ref third, i));
        }

        var moved = Multiply(a, MoveByWords[2 * words]) ^ Multiply(b, MoveByWords[words]);
        return BitOperations.Crc32C(0u, moved) ^ c;
    }

    private static ulong Multiply(uint left, uint right) =>
        Pclmulqdq.IsSupported
            ? Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar((ulong)left), Vector128.CreateScalar((ulong)right), 0)
                .GetElement(0)
            : ArmAes.PolynomialMultiplyWideningLower(Vector64.Create((ulong)left), Vector64.Create((ulong)right)).GetElement(0);

    private static uint[] MakeMoves()
    {
        var moves = new uint[(2 * LaneWordsMax) + 1];

        // Bit 31 is x^0. A move by one word, 64 bits, needs x^(64 - 33).
        var power = 1u << 31;
        var exponent = 0;
        for (var words = 1; words < moves.Length; words++)
        {
            for (; exponent < (64 * words) - 33; exponent++)
            {
                power = (power >> 1) ^ ((power & 1) != 0 ? Polynomial : 0);
            }

            moves[words] = power;
        }

        return moves;
    }
}
