using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Primitives;

namespace Dledger.Broker.Streaming;

/// <summary>Records of one batch that their producer compressed as a whole.</summary>
/// <param name="Compression">How.</param>
/// <param name="Block">What came of it.</param>
/// <param name="UncompressedSize">Bytes of the records, as the producer says.</param>
public readonly record struct CompressedBatch(Compression Compression, ReadOnlyMemory<byte> Block, int UncompressedSize)
{
    /// <summary>Restores the records in rented memory; the broken rule, or null.</summary>
    /// <remarks>The size that was said is all the memory that a batch can make this node take.</remarks>
    internal BrokerFailure? Unpack(out RecordBuffer records)
    {
        records = default;
        if (Compression is not (Compression.Lz4 or Compression.Zlib))
        {
            return Broken(BrokenRule.Batch, $"the compression {(int)Compression} is unknown; 1 (LZ4) and 2 (ZLIB) exist");
        }

        if (UncompressedSize < 1)
        {
            return Broken(BrokenRule.Batch, $"the uncompressed size of the batch is {UncompressedSize}; at least 1 is allowed");
        }

        if (Math.Max(UncompressedSize, Block.Length) > Limits.BatchRecordBytesMax)
        {
            return Broken(
                BrokenRule.BodyTooLarge,
                $"the batch takes {Math.Max(UncompressedSize, Block.Length)} bytes; the limit is {Limits.BatchRecordBytesMax}");
        }

        records = RecordBuffer.Rent(UncompressedSize);
        if (CompressionCodec.TryDecompress(Compression, Block.Span, records.Span))
        {
            return null;
        }

        records.Return();
        records = default;
        return Broken(
            BrokenRule.Batch, $"the batch is not {UncompressedSize} bytes that were compressed with {Compression}");
    }

    private static BrokerFailure Broken(BrokenRule rule, string detail) => BrokerFailure.Of(new Violation(rule, detail));
}
