using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Records;

/// <summary>A record that is being written: its parts are yet to be filled. See <see cref="RecordEncoder.Lay"/>.</summary>
public readonly ref struct RecordParts
{
    private readonly Span<byte> _record;

    internal RecordParts(Span<byte> record, Span<byte> key, Span<byte> properties, Span<byte> body)
    {
        _record = record;
        Key = key;
        Properties = properties;
        Body = body;
    }

    public Span<byte> Key { get; }

    public Span<byte> Properties { get; }

    public Span<byte> Body { get; }

    /// <summary>Writes the checksum over the finished parts, and returns the record's length.</summary>
    public int Close()
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_record[4..], Crc32C.Compute(_record[RecordHeader.CrcStart..]));
        return _record.Length;
    }
}
