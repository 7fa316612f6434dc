using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Commands;

/// <summary>What makes a record a part of a transaction; stored in its properties. Layout: FORMAT.md.</summary>
/// <param name="Distance">Bytes from the transaction's first record to this one.</param>
/// <param name="Count">Messages of the transaction.</param>
/// <param name="FirstCheckMicroseconds">Time until the first check; 0: the topic's.</param>
internal readonly record struct HalfMark(int Distance, int Count, long FirstCheckMicroseconds)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(17);
        writer.Byte(FormatVersion);
        writer.Int32(Distance);
        writer.Int32(Count);
        writer.Int64(FirstCheckMicroseconds);
        return writer.ToArray();
    }

    public static HalfMark Read(in RecordView record)
    {
        Invariant.Check(
            RecordCopy.TryFind(record, PropertyKind.HalfMark, out var content), "a HalfMessage record says what it belongs to");
        var reader = new ByteReader(content);
        reader.Version(FormatVersion);
        var mark = new HalfMark(reader.Int32(), reader.Int32(), reader.Int64());
        reader.End();
        return mark;
    }
}
