using System.Buffers.Binary;
using System.Collections;
using System.Runtime.InteropServices;
using Dledger.Client.Errors;
using Dledger.Primitives;
using Dledger.Protocol.Stream.V1;
using static Dledger.Client.Streaming.RecordLayout;
using Compression = Dledger.Protocol.Stream.V1.Compression;

namespace Dledger.Client.Streaming;

/// <summary>Messages that came together, checked against their checksums.</summary>
public sealed class StreamDelivery : IReadOnlyList<StreamedMessage>
{
    /// <summary>No batch is larger.</summary>
    private const int BatchBytesMax = 5 << 20;

    private readonly List<StreamedMessage> _messages;

    private StreamDelivery(Delivery delivery, List<StreamedMessage> messages)
    {
        _messages = messages;
        Wire = delivery;
    }

    /// <inheritdoc/>
    public int Count => _messages.Count;

    /// <summary>When reading a queue: where to read on.</summary>
    public long NextOffset => Wire.NextOffset;

    /// <summary>When reading a queue: its end, behind the last message.</summary>
    public long EndOffset => Wire.EndOffset;

    internal Delivery Wire { get; }

    /// <inheritdoc/>
    public StreamedMessage this[int index] => _messages[index];

    /// <inheritdoc/>
    public IEnumerator<StreamedMessage> GetEnumerator() => _messages.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Reads what a node sent.</summary>
    /// <exception cref="ServerFaultException">A record is damaged.</exception>
    internal static StreamDelivery Of(Delivery delivery, string operation)
    {
        var messages = new List<StreamedMessage>(delivery.Positions.Count);
        var rest = delivery.Compression == Compression.None
            ? MemoryMarshal.AsMemory(delivery.Records.Memory)
            : Unpack(delivery, operation);
        foreach (var span in delivery.Spans)
        {
            for (var i = 0; i < span.Count; i++)
            {
                if (messages.Count == delivery.Positions.Count || !TryTake(ref rest, delivery, delivery.Positions[messages.Count], out var record))
                {
                    throw new ServerFaultException(
                        $"{operation}: the record of offset {span.FirstOffset + i} in queue {span.QueueId} came damaged.",
                        "Check the node's log: dledger log verify <data directory>");
                }

                messages.Add(new StreamedMessage(record, span.QueueId, span.FirstOffset + i, span.Attempt));
            }
        }

        return new StreamDelivery(delivery, messages);
    }

    private static Memory<byte> Unpack(Delivery delivery, string operation)
    {
        if (delivery.UncompressedSize is > 0 and <= BatchBytesMax)
        {
            var records = GC.AllocateUninitializedArray<byte>(delivery.UncompressedSize);
            if (CompressionCodec.TryDecompress((Primitives.Compression)(int)delivery.Compression, delivery.Records.Span, records))
            {
                return records;
            }
        }

        throw new ServerFaultException(
            $"{operation}: a batch of {delivery.Positions.Count} messages came damaged, or is not compressed with {delivery.Compression}.",
            "Check the node's log: dledger log verify <data directory>");
    }

    private static bool TryTake(ref Memory<byte> rest, Delivery delivery, long position, out ReadOnlyMemory<byte> record)
    {
        record = default;
        var bytes = rest.Span;
        if (bytes.Length < HeaderBytes
            || BinaryPrimitives.ReadInt32LittleEndian(bytes) is var length && (length < HeaderBytes || length > bytes.Length))
        {
            return false;
        }

        var crc = Crc32C.Compute(bytes[CrcStart..length]);
        if (delivery.Compression == Compression.None)
        {
            Span<byte> place = stackalloc byte[16];
            BinaryPrimitives.WriteInt64LittleEndian(place, position);
            bytes.Slice(StoreTimeAt, sizeof(long)).CopyTo(place[8..]);
            crc ^= Crc32C.Compute(place);
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes[StoreTimeAt..], delivery.StoreTime);
        }

        record = rest[..length];
        rest = rest[length..];
        return crc == BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcAt..]);
    }
}
