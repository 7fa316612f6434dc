using System.IO.Compression;

namespace Dledger.Chaos.Clusters;

/// <summary>The block of a batch as it was before it was compressed, without any code of the product.</summary>
internal static class Unpacked
{
    private const int ShortestMatch = 4;

    /// <summary>Null when it is not what it claims to be.</summary>
    /// <param name="compression">1: a block of LZ4, 2: zlib.</param>
    /// <param name="block">What was stored.</param>
    /// <param name="size">Bytes that come out.</param>
    public static byte[]? Of(byte compression, ReadOnlySpan<byte> block, int size)
    {
        var bytes = new byte[size];
        try
        {
            return compression switch
            {
                1 => TryReadBlock(block, bytes) ? bytes : null,
                2 => TryInflate(block, bytes) ? bytes : null,
                _ => null,
            };
        }
        catch (Exception damaged) when (damaged is InvalidDataException or IndexOutOfRangeException or ArgumentException)
        {
            return null;
        }
    }

    private static bool TryInflate(ReadOnlySpan<byte> block, byte[] bytes)
    {
        using var stream = new ZLibStream(new MemoryStream(block.ToArray()), CompressionMode.Decompress);
        return stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length && stream.ReadByte() < 0;
    }

    // Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
    private static bool TryReadBlock(ReadOnlySpan<byte> block, byte[] bytes)
    {
        int from = 0, to = 0;
        while (true)
        {
            var token = block[from++];
            var literals = ReadLength(block, token >> 4, ref from);
            block.Slice(from, literals).CopyTo(bytes.AsSpan(to));
            from += literals;
            to += literals;
            if (from == block.Length)
            {
                return to == bytes.Length;
            }

            var distance = block[from] | (block[from + 1] << 8);
            from += 2;
            for (var left = ReadLength(block, token & 15, ref from) + ShortestMatch; left > 0; left--, to++)
            {
                bytes[to] = bytes[to - distance];
            }
        }
    }

    private static int ReadLength(ReadOnlySpan<byte> block, int length, ref int from)
    {
        if (length < 15)
        {
            return length;
        }

        byte next;
        do
        {
            next = block[from++];
            length += next;
        }
        while (next == byte.MaxValue);

        return length;
    }
}
