using System.Buffers.Binary;

namespace Dledger.Storage.Records;

/// <summary>The fixed part of a record.</summary>
/// <remarks>
/// 64 bytes, little-endian; then extension words by flag, key, properties, body, and zeros up to a multiple of 8:
///   0        4          8           16     17      18        20           22               24
///   | length | recordCrc | storeTime | kind | flags | keyLen  | propsLen   | producerEpoch  |
///   24        28        32        36    40            48         56          64
///   | topicId | queueId | bodyLen | seq | producerId  | tagHash  | bornTime  |
/// recordCrc is CRC-32C over bytes 16..length-1. When the leader cuts the frame it stamps storeTime and seals the record: recordCrc is
/// then that value xor CRC-32C over the record's position and storeTime (8 bytes each). Frozen by Golden/record-v1.hex.
/// </remarks>
public readonly record struct RecordHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 64;

    /// <summary>First byte that recordCrc covers.</summary>
    public const int CrcStart = 16;

    /// <summary>Bytes of the whole record, padding included; a multiple of 8.</summary>
    public int Length { get; init; }

    /// <summary>See the remarks.</summary>
    public uint RecordCrc { get; init; }

    /// <summary>Log time of the frame, microseconds since the Unix epoch; 0 before the frame is cut.</summary>
    public long StoreTime { get; init; }

    public RecordKind Kind { get; init; }

    public RecordFlags Flags { get; init; }

    public int KeyLength { get; init; }

    public int PropertiesLength { get; init; }

    public int ProducerEpoch { get; init; }

    /// <summary>Number that the topic was created with; 0 when the record concerns none.</summary>
    public int TopicId { get; init; }

    public int QueueId { get; init; }

    public int BodyLength { get; init; }

    /// <summary>The producer's sequence number.</summary>
    public int Sequence { get; init; }

    /// <summary>0 when the producer has none.</summary>
    public long ProducerId { get; init; }

    /// <summary>Hash of the message's tag; 0 without a tag.</summary>
    public long TagHash { get; init; }

    /// <summary>The client's clock, microseconds since the Unix epoch; informative only.</summary>
    public long BornTime { get; init; }

    /// <summary>Bytes of the extension words that a record of these flags has.</summary>
    public static int MeasureExtensions(RecordFlags flags)
    {
        var bytes = 0;
        bytes += (flags & RecordFlags.DeliverAt) != 0 ? 8 : 0;
        bytes += (flags & RecordFlags.GroupHash) != 0 ? 8 : 0;
        bytes += (flags & RecordFlags.TransactionReference) != 0 ? 8 : 0;
        bytes += (flags & RecordFlags.MessageIdHash) != 0 ? 16 : 0;
        return bytes;
    }

    /// <summary>
    /// Bytes of a whole record with padding; more than <see cref="int.MaxValue"/> is possible and must be refused.
    /// </summary>
    public static long Measure(RecordFlags flags, int keyLength, int propertiesLength, int bodyLength) =>
        (Size + MeasureExtensions(flags) + (long)keyLength + propertiesLength + bodyLength + 7) & ~7L;

    /// <summary>Reads a header and checks that its lengths agree with each other; checks no checksum.</summary>
    public static bool TryParse(ReadOnlySpan<byte> source, out RecordHeader header, out string? fault)
    {
        header = default;
        if (source.Length < Size)
        {
            fault = $"a record header needs {Size} bytes, {source.Length} are left";
            return false;
        }

        header = new RecordHeader
        {
            Length = BinaryPrimitives.ReadInt32LittleEndian(source),
            RecordCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
            StoreTime = BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
            Kind = (RecordKind)source[16],
            Flags = (RecordFlags)source[17],
            KeyLength = BinaryPrimitives.ReadUInt16LittleEndian(source[18..]),
            PropertiesLength = BinaryPrimitives.ReadUInt16LittleEndian(source[20..]),
            ProducerEpoch = BinaryPrimitives.ReadUInt16LittleEndian(source[22..]),
            TopicId = BinaryPrimitives.ReadInt32LittleEndian(source[24..]),
            QueueId = BinaryPrimitives.ReadInt32LittleEndian(source[28..]),
            BodyLength = BinaryPrimitives.ReadInt32LittleEndian(source[32..]),
            Sequence = BinaryPrimitives.ReadInt32LittleEndian(source[36..]),
            ProducerId = BinaryPrimitives.ReadInt64LittleEndian(source[40..]),
            TagHash = BinaryPrimitives.ReadInt64LittleEndian(source[48..]),
            BornTime = BinaryPrimitives.ReadInt64LittleEndian(source[56..]),
        };
        if (header.BodyLength < 0
            || header.Length != Measure(header.Flags, header.KeyLength, header.PropertiesLength, header.BodyLength))
        {
            fault = $"record length {header.Length} does not fit key {header.KeyLength}, properties "
                + $"{header.PropertiesLength}, body {header.BodyLength}, flags {(byte)header.Flags}";
            return false;
        }

        fault = null;
        return true;
    }

    /// <summary>Writes the 64 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], RecordCrc);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], StoreTime);
        destination[16] = (byte)Kind;
        destination[17] = (byte)Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[18..], (ushort)KeyLength);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[20..], (ushort)PropertiesLength);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[22..], (ushort)ProducerEpoch);
        BinaryPrimitives.WriteInt32LittleEndian(destination[24..], TopicId);
        BinaryPrimitives.WriteInt32LittleEndian(destination[28..], QueueId);
        BinaryPrimitives.WriteInt32LittleEndian(destination[32..], BodyLength);
        BinaryPrimitives.WriteInt32LittleEndian(destination[36..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(destination[40..], ProducerId);
        BinaryPrimitives.WriteInt64LittleEndian(destination[48..], TagHash);
        BinaryPrimitives.WriteInt64LittleEndian(destination[56..], BornTime);
    }
}
