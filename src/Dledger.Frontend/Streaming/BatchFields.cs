using System.Buffers;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;

namespace Dledger.Frontend.Streaming;

/// <summary>The fields of a batch in the bytes of its request, read as protobuf writers write them; anything else is for generated code.</summary>
/// <remarks>
/// That is: one field 'batch' that fills the request, in it known fields only, each once at most. The wire format allows more, such as
/// unknown fields and pieces of a message that are to be merged.
/// </remarks>
internal readonly struct BatchFields
{
    private const int VarintBytesMax = 10;

    private static readonly uint BatchTag =
        WireFormat.MakeTag(ProduceRequest.BatchFieldNumber, WireFormat.WireType.LengthDelimited);

    private static readonly uint RecordsTag =
        WireFormat.MakeTag(RecordBatch.RecordsFieldNumber, WireFormat.WireType.LengthDelimited);

    public ulong Handle { get; private init; }

    public ulong Number { get; private init; }

    public ulong Count { get; private init; }

    public ulong Compression { get; private init; }

    public ulong UncompressedSize { get; private init; }

    /// <summary>Where they lie in the request.</summary>
    public ReadOnlySequence<byte> Records { get; private init; }

    public static bool TryRead(in ReadOnlySequence<byte> request, out BatchFields fields)
    {
        fields = default;
        var reader = new SequenceReader<byte>(request);
        if (!TryReadVarint(ref reader, out var tag)
            || tag != BatchTag
            || !TryReadVarint(ref reader, out var length)
            || length != (ulong)reader.Remaining)
        {
            return false;
        }

        Span<ulong> numbers = stackalloc ulong[RecordBatch.UncompressedSizeFieldNumber + 1];
        numbers.Clear();
        ReadOnlySequence<byte> records = default;
        var seen = 0;
        while (!reader.End)
        {
            if (!TryReadVarint(ref reader, out tag))
            {
                return false;
            }

            var field = tag > uint.MaxValue ? 0 : WireFormat.GetTagFieldNumber((uint)tag);
            if (field < 1 || field >= numbers.Length || (seen & (1 << field)) != 0)
            {
                return false;
            }

            seen |= 1 << field;
            if (tag == RecordsTag)
            {
                if (!TryReadVarint(ref reader, out length) || length > (ulong)reader.Remaining)
                {
                    return false;
                }

                records = request.Slice(reader.Position, (long)length);
                reader.Advance((long)length);
            }
            else if (field == RecordBatch.RecordsFieldNumber
                || WireFormat.GetTagWireType((uint)tag) != WireFormat.WireType.Varint
                || !TryReadVarint(ref reader, out numbers[field]))
            {
                return false;
            }
        }

        fields = new BatchFields
        {
            Handle = numbers[RecordBatch.HandleFieldNumber],
            Number = numbers[RecordBatch.NumberFieldNumber],
            Count = numbers[RecordBatch.CountFieldNumber],
            Compression = numbers[RecordBatch.CompressionFieldNumber],
            UncompressedSize = numbers[RecordBatch.UncompressedSizeFieldNumber],
            Records = records,
        };
        return true;
    }

    private static bool TryReadVarint(ref SequenceReader<byte> reader, out ulong value)
    {
        value = 0;
        for (var index = 0; index < VarintBytesMax && reader.TryRead(out var next); index++)
        {
            value |= (ulong)(next & 0x7f) << (7 * index);
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
