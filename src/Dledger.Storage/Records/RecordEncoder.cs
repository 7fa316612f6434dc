using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Records;

/// <summary>Turns fields and bytes into a record. Stateless; any thread.</summary>
public static class RecordEncoder
{
    /// <summary>Longest key and longest property map, in bytes.</summary>
    public const int PartBytesMax = ushort.MaxValue;

    /// <summary>
    /// Bytes of the record that these parts make; above <see cref="int.MaxValue"/> the record must be refused.
    /// </summary>
    public static long Measure(in RecordFields fields, int keyLength, int propertiesLength, int bodyLength) =>
        RecordHeader.Measure(fields.Flags, keyLength, propertiesLength, bodyLength);

    /// <summary>Encodes a record into a new buffer of exactly its size.</summary>
    public static byte[] Encode(
        in RecordFields fields, ReadOnlySpan<byte> key, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> body)
    {
        var record = GC.AllocateUninitializedArray<byte>(
            checked((int)Measure(fields, key.Length, properties.Length, body.Length)));
        Encode(fields, key, properties, body, record);
        return record;
    }

    /// <summary>
    /// Encodes a record at the start of <paramref name="destination"/> and returns its length, a multiple of 8. The
    /// store time stays 0. The caller has checked the limits; a part that is too long is our bug.
    /// </summary>
    public static int Encode(
        in RecordFields fields,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> properties,
        ReadOnlySpan<byte> body,
        Span<byte> destination)
    {
        var record = Lay(fields, key.Length, properties.Length, body.Length, destination);
        key.CopyTo(record.Key);
        properties.CopyTo(record.Properties);
        body.CopyTo(record.Body);
        return record.Close();
    }

    /// <summary>
    /// Begins a record whose parts are written by the caller, each exactly as long as said, before it is closed: so text is
    /// encoded where it stays.
    /// </summary>
    public static RecordParts Lay(
        in RecordFields fields, int keyLength, int propertiesLength, int bodyLength, Span<byte> destination)
    {
        Invariant.Check(keyLength <= PartBytesMax, $"the key has {keyLength} bytes");
        Invariant.Check(propertiesLength <= PartBytesMax, $"the properties have {propertiesLength} bytes");
        Invariant.Check((uint)fields.ProducerEpoch <= ushort.MaxValue, $"producer epoch {fields.ProducerEpoch}");
        Invariant.Check(fields.Kind != RecordKind.None, "a record has a kind");

        var flags = fields.Flags;
        var length = checked((int)RecordHeader.Measure(flags, keyLength, propertiesLength, bodyLength));
        var record = destination[..length];
        var header = new RecordHeader
        {
            Length = length,
            Kind = fields.Kind,
            Flags = flags,
            KeyLength = keyLength,
            PropertiesLength = propertiesLength,
            ProducerEpoch = fields.ProducerEpoch,
            TopicId = fields.TopicId,
            QueueId = fields.QueueId,
            BodyLength = bodyLength,
            Sequence = fields.Sequence,
            ProducerId = fields.ProducerId,
            TagHash = fields.TagHash,
            BornTime = fields.BornTime,
        };
        header.Write(record);
        var keyStart = RecordHeader.Size + WriteExtensions(fields, record[RecordHeader.Size..]);
        var bodyStart = keyStart + keyLength + propertiesLength;
        record[(bodyStart + bodyLength)..].Clear();
        return new RecordParts(
            record,
            record.Slice(keyStart, keyLength),
            record.Slice(keyStart + keyLength, propertiesLength),
            record.Slice(bodyStart, bodyLength));
    }

    private static int WriteExtensions(in RecordFields fields, Span<byte> destination)
    {
        var at = 0;
        if (fields.DeliverAt is { } deliverAt)
        {
            BinaryPrimitives.WriteInt64LittleEndian(destination[at..], deliverAt);
            at += 8;
        }

        if (fields.GroupHash is { } groupHash)
        {
            BinaryPrimitives.WriteInt64LittleEndian(destination[at..], groupHash);
            at += 8;
        }

        if (fields.TransactionReference is { } reference)
        {
            BinaryPrimitives.WriteInt64LittleEndian(destination[at..], reference.Value);
            at += 8;
        }

        if (fields.MessageIdHash is { } messageIdHash)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(destination[at..], messageIdHash);
            at += 16;
        }

        return at;
    }
}
