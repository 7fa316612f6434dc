using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Dledger.Primitives;

/// <summary>The LZ4 block format, as its page "LZ4 Block Format Description" has it. Stateless; any thread.</summary>
/// <remarks>
/// A block is a list of sequences: a token with two lengths of four bits, more bytes of the first length, literals, a distance (2 bytes,
/// little-endian), more bytes of the second length. The last sequence ends behind its literals. Neither the length of the block nor that
/// of its content is in it. Written with bounds checks everywhere: blocks come from strangers.
/// </remarks>
public static class Lz4Block
{
    private const int MatchMin = 4;
    private const int DistanceMax = ushort.MaxValue;

    /// <summary>The format ends every block with so many literals, and begins no match behind the second bound.</summary>
    private const int LastLiterals = 5;
    private const int MatchStartMin = 12;

    private const int LengthBits = 4;
    private const int LengthMax = (1 << LengthBits) - 1;
    private const int HashBits = 13;

    /// <summary>How many misses make the search one byte coarser: what does not shrink is passed over fast.</summary>
    private const int MissesPerStep = 1 << 6;

    /// <summary>Makes a block of <paramref name="source"/>; false when it does not fit into <paramref name="destination"/>.</summary>
    public static bool TryEncode(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        Span<int> seen = stackalloc int[1 << HashBits];
        seen.Fill(-1);
        written = 0;
        var anchor = 0;
        var misses = 0;
        for (var at = 0; at <= source.Length - MatchStartMin;)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(source[at..]);
            ref var slot = ref seen[Hash(word)];
            var earlier = slot;
            slot = at;
            if (earlier < 0
                || at - earlier > DistanceMax
                || BinaryPrimitives.ReadUInt32LittleEndian(source[earlier..]) != word)
            {
                at += 1 + (misses++ / MissesPerStep);
                continue;
            }

            while (at > anchor && earlier > 0 && source[at - 1] == source[earlier - 1])
            {
                at--;
                earlier--;
            }

            var length = MatchMin + source[(at + MatchMin)..^LastLiterals].CommonPrefixLength(source[(earlier + MatchMin)..]);
            if (!TryWrite(source[anchor..at], at - earlier, length - MatchMin, destination, ref written))
            {
                return false;
            }

            at += length;
            anchor = at;
            misses = 0;
            if (at <= source.Length - MatchStartMin)
            {
                seen[Hash(BinaryPrimitives.ReadUInt32LittleEndian(source[(at - 2)..]))] = at - 2;
            }
        }

        return TryWrite(source[anchor..], 0, 0, destination, ref written);
    }

    /// <summary>
    /// Reads a whole block; true when it is well formed and its content has exactly the length of <paramref name="destination"/>. Nothing is
    /// written behind that.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> block, Span<byte> destination)
    {
        var to = 0;
        for (var from = 0; from < block.Length;)
        {
            var token = block[from++];
            if (!TryReadLength(block, token >> LengthBits, ref from, out var literals)
                || literals > block.Length - from
                || literals > destination.Length - to)
            {
                return false;
            }

            Copy(block[from..], literals, destination[to..]);
            from += literals;
            to += literals;
            if (from == block.Length)
            {
                return to == destination.Length;
            }

            if (block.Length - from < sizeof(ushort))
            {
                return false;
            }

            int distance = BinaryPrimitives.ReadUInt16LittleEndian(block[from..]);
            from += sizeof(ushort);
            if (distance == 0
                || distance > to
                || !TryReadLength(block, token & LengthMax, ref from, out var match)
                || match > destination.Length - to - MatchMin)
            {
                return false;
            }

            Repeat(destination[(to - distance)..], distance, match + MatchMin);
            to += match + MatchMin;
        }

        return false;
    }

    private static int Hash(uint word) => (int)((word * 2_654_435_761u) >> (32 - HashBits));

    // A distance of 0 marks the last sequence.
    private static bool TryWrite(
        ReadOnlySpan<byte> literals, int distance, int match, Span<byte> destination, ref int written)
    {
        var bytes = 1L + (literals.Length / 255) + 1 + literals.Length + sizeof(ushort) + (match / 255) + 1;
        if (bytes > destination.Length - written)
        {
            return false;
        }

        destination[written++] = (byte)((Math.Min(literals.Length, LengthMax) << LengthBits) | Math.Min(match, LengthMax));
        WriteLength(literals.Length, destination, ref written);
        literals.CopyTo(destination[written..]);
        written += literals.Length;
        if (distance > 0)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(destination[written..], (ushort)distance);
            written += sizeof(ushort);
            WriteLength(match, destination, ref written);
        }

        return true;
    }

    private static void WriteLength(int length, Span<byte> destination, ref int written)
    {
        if (length < LengthMax)
        {
            return;
        }

        for (length -= LengthMax; length >= 255; length -= 255)
        {
            destination[written++] = 255;
        }

        destination[written++] = (byte)length;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> block, int begun, ref int from, out int length)
    {
        length = begun;
        if (begun < LengthMax)
        {
            return true;
        }

        while (from < block.Length && length <= int.MaxValue - 255)
        {
            var more = block[from++];
            length += more;
            if (more < 255)
            {
                return true;
            }
        }

        return false;
    }

    // Most runs are short: where there is room on both sides, sixteen bytes at once cost less than finding out how many there are.
    private static void Copy(ReadOnlySpan<byte> source, int length, Span<byte> destination)
    {
        if (length <= Vector128<byte>.Count
            && source.Length >= Vector128<byte>.Count
            && destination.Length >= Vector128<byte>.Count)
        {
            Vector128.Create(source).CopyTo(destination);
            return;
        }

        source[..length].CopyTo(destination);
    }

    // What is repeated may overlap what is written: then the distance is a period.
    private static void Repeat(Span<byte> window, int distance, int length)
    {
        if (distance >= Vector128<byte>.Count && length <= Vector128<byte>.Count)
        {
            Copy(window, length, window[distance..]);
            return;
        }

        var target = window.Slice(distance, length);
        var done = Math.Min(distance, length);
        window[..done].CopyTo(target);
        while (done < length)
        {
            var more = Math.Min(done, length - done);
            target[..more].CopyTo(target[done..]);
            done += more;
        }
    }
}
