using System.IO.Compression;

namespace Dledger.Primitives;

/// <summary>Compresses runs of bytes as a whole, and restores them. Stateless; any thread.</summary>
public static class CompressionCodec
{
    /// <summary>
    /// Compresses <paramref name="source"/>; false when the result would not fit into <paramref name="destination"/>, so one that is shorter
    /// than the source asks for a gain.
    /// </summary>
    public static bool TryCompress(Compression compression, ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        switch (compression)
        {
            case Compression.Lz4:
                return Lz4Block.TryEncode(source, destination, out written);
            case Compression.Zlib:
                return TryDeflate(source, destination, out written);
            default:
                throw new ArgumentOutOfRangeException(nameof(compression), compression, "not a compression");
        }
    }

    /// <summary>
    /// Restores what was compressed; true when it is well formed and has exactly the length of <paramref name="destination"/>. No more is
    /// ever unpacked, whatever the bytes promise.
    /// </summary>
    public static bool TryDecompress(Compression compression, ReadOnlySpan<byte> source, Span<byte> destination) => compression switch
    {
        Compression.Lz4 => Lz4Block.TryDecode(source, destination),
        Compression.Zlib => TryInflate(source, destination),
        _ => false,
    };

    private static unsafe bool TryDeflate(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        written = 0;
        if (destination.IsEmpty)
        {
            return false;
        }

        fixed (byte* start = destination)
        {
            using var target = new UnmanagedMemoryStream(start, 0, destination.Length, FileAccess.Write);
            try
            {
                using (var zlib = new ZLibStream(target, CompressionLevel.Optimal, leaveOpen: true))
                {
                    zlib.Write(source);
                }
            }
            catch (NotSupportedException)
            {
                // The stream cannot grow.
                return false;
            }

            written = (int)target.Length;
            return true;
        }
    }

    private static unsafe bool TryInflate(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty)
        {
            return false;
        }

        fixed (byte* start = source)
        {
            using var packed = new UnmanagedMemoryStream(start, source.Length);
            using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
            try
            {
                return zlib.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false) == destination.Length
                    && zlib.ReadByte() < 0;
            }
            catch (Exception fault) when (fault is InvalidDataException or IOException)
            {
                // The second is how the platform says that a dictionary is asked for, which nobody has.
                return false;
            }
        }
    }
}
