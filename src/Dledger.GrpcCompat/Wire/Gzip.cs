using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>The one message encoding besides identity.</summary>
internal static class Gzip
{
    /// <summary>Header and trailer of RFC 1952 without any data.</summary>
    private const int GzipBytesMin = 18;

    private const int ChunkBytes = 16 * 1024;

    public static void Compress(ReadOnlySpan<byte> message, CompressionLevel level, IBufferWriter<byte> target)
    {
        using var sink = new BufferWriterStream(target);
        using var gzip = new GZipStream(sink, level, leaveOpen: true);
        gzip.Write(message);
    }

    /// <summary>
    /// Inflates one message. More than <paramref name="bytesMax"/> throws <see cref="RpcException"/> with
    /// RESOURCE_EXHAUSTED as soon as the limit is passed, damaged data with INTERNAL.
    /// </summary>
    /// <remarks>
    /// The decompressor of the framework takes cut-off input for its end, so the length in the last four bytes
    /// (RFC 1952, ISIZE) is compared; for this a message must be a single gzip member.
    /// </remarks>
    public static PooledBuffer Decompress(ReadOnlySequence<byte> compressed, int? bytesMax)
    {
        if (compressed.Length < GzipBytesMin)
        {
            throw Damaged(null);
        }

        Span<byte> size = stackalloc byte[sizeof(uint)];
        compressed.Slice(compressed.Length - sizeof(uint)).CopyTo(size);
        var inflated = new PooledBuffer(ChunkBytes);
        try
        {
            using var gzip = new GZipStream(new SequenceStream(compressed), CompressionMode.Decompress);
            while (true)
            {
                var count = gzip.Read(inflated.GetSpan(ChunkBytes));
                if (count == 0)
                {
                    break;
                }

                inflated.Advance(count);
                if (inflated.Count > bytesMax)
                {
                    throw MessageLimits.TooLargeToReceive(bytesMax.Value);
                }
            }

            if ((uint)inflated.Count != BinaryPrimitives.ReadUInt32LittleEndian(size))
            {
                throw Damaged(null);
            }

            return inflated;
        }
        catch (Exception fault)
        {
            inflated.Dispose();
            if (fault is InvalidDataException)
            {
                throw Damaged(fault);
            }

            throw;
        }
    }

    private static RpcException Damaged(Exception? cause)
    {
        return new RpcException(new Status(StatusCode.Internal, "A compressed message is damaged.", cause));
    }
}
