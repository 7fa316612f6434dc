using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Records;

/// <summary>A record read in place. Valid as long as the bytes under it.</summary>
public readonly ref struct RecordView
{
    private readonly RecordHeader _header;

    private RecordView(scoped in RecordHeader header, ReadOnlySpan<byte> bytes)
    {
        _header = header;
        Bytes = bytes;
    }

    /// <summary>The whole record with padding.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    public RecordHeader Header => _header;

    public int Length => _header.Length;

    public RecordKind Kind => _header.Kind;

    public RecordFlags Flags => _header.Flags;

    public int TopicId => _header.TopicId;

    public int QueueId => _header.QueueId;

    public long StoreTime => _header.StoreTime;

    public long BornTime => _header.BornTime;

    public long TagHash => _header.TagHash;

    public int ProducerEpoch => _header.ProducerEpoch;

    public long ProducerId => _header.ProducerId;

    public int Sequence => _header.Sequence;

    public ReadOnlySpan<byte> Key => Bytes.Slice(KeyStart, _header.KeyLength);

    public ReadOnlySpan<byte> Properties => Bytes.Slice(KeyStart + _header.KeyLength, _header.PropertiesLength);

    public ReadOnlySpan<byte> Body => Bytes.Slice(BodyStart, _header.BodyLength);

    /// <summary>Where the body begins inside the record, for readers that keep the record as memory.</summary>
    public int BodyStart => KeyStart + _header.KeyLength + _header.PropertiesLength;

    public long? DeliverAt => ReadWord(RecordFlags.DeliverAt);

    public long? GroupHash => ReadWord(RecordFlags.GroupHash);

    public LogPosition? TransactionReference =>
        ReadWord(RecordFlags.TransactionReference) is { } value ? new LogPosition(value) : null;

    public UInt128? MessageIdHash => (Flags & RecordFlags.MessageIdHash) == 0
        ? null
        : BinaryPrimitives.ReadUInt128LittleEndian(Bytes[ExtensionStart(RecordFlags.MessageIdHash)..]);

    private int KeyStart => RecordHeader.Size + RecordHeader.MeasureExtensions(_header.Flags);

    /// <summary>
    /// Reads the record at the start of <paramref name="source"/> as its maker encoded it, and checks lengths and recordCrc. False
    /// tells in <paramref name="fault"/> what is wrong.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> source, out RecordView record, out string? fault) =>
        TryParseUnchecked(source, out record, out fault) && TryCheck(ref record, seal: 0, ref fault);

    /// <summary>
    /// Reads the record that the log holds at a position, and checks lengths, checksum and that it was written there: a disk may
    /// give back the sound record of another place.
    /// </summary>
    public static bool TryParseSealed(
        ReadOnlySpan<byte> source, LogPosition position, out RecordView record, out string? fault) =>
        TryParseUnchecked(source, out record, out fault)
        && TryCheck(ref record, SealOf(position, record.StoreTime), ref fault);

    /// <summary>
    /// Like <see cref="TryParseSealed"/> without the checksum, for bytes of a frame whose payload was verified.
    /// </summary>
    public static bool TryParseUnchecked(ReadOnlySpan<byte> source, out RecordView record, out string? fault)
    {
        record = default;
        if (!RecordHeader.TryParse(source, out var header, out fault))
        {
            return false;
        }

        if (header.Length > source.Length)
        {
            fault = $"the record has {header.Length} bytes, {source.Length} are left";
            return false;
        }

        record = new RecordView(header, source[..header.Length]);
        return true;
    }

    /// <summary>Makes an encoded record the one of a place in the log: writes the log time, and binds the checksum to both.</summary>
    /// <param name="record">As <see cref="RecordEncoder"/> made it, and never sealed before.</param>
    /// <param name="position">Where it begins in the log.</param>
    /// <param name="logTime">Log time of its frame, microseconds since the Unix epoch.</param>
    public static void Seal(Span<byte> record, LogPosition position, long logTime)
    {
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], crc ^ SealOf(position, logTime));
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], logTime);
    }

    private static bool TryCheck(ref RecordView record, uint seal, ref string? fault)
    {
        var crc = Crc32C.Compute(record.Bytes[RecordHeader.CrcStart..]) ^ seal;
        if (crc == record._header.RecordCrc)
        {
            return true;
        }

        fault = $"record checksum {crc:x8} is not the stored {record._header.RecordCrc:x8}";
        record = default;
        return false;
    }

    private static uint SealOf(LogPosition position, long logTime)
    {
        Span<byte> place = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(place, position.Value);
        BinaryPrimitives.WriteInt64LittleEndian(place[8..], logTime);
        return Crc32C.Compute(place);
    }

    private long? ReadWord(RecordFlags flag) =>
        (Flags & flag) == 0 ? null : BinaryPrimitives.ReadInt64LittleEndian(Bytes[ExtensionStart(flag)..]);

    // Extension words lie in the order of their flag bits, so those before a flag are the ones of its lower bits.
    private int ExtensionStart(RecordFlags flag) =>
        RecordHeader.Size + RecordHeader.MeasureExtensions(Flags & (RecordFlags)((int)flag - 1));
}
