using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Commands;

/// <summary>Which half message a copy stands for; stored in the copy's properties. Layout: FORMAT.md.</summary>
/// <param name="Id">The transaction.</param>
/// <param name="Part">The message in it, from 0 on.</param>
internal readonly record struct TransactionReference(long Id, int Part)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(13);
        writer.Byte(FormatVersion);
        writer.Int64(Id);
        writer.Int32(Part);
        return writer.ToArray();
    }

    public static TransactionReference Read(in RecordView record)
    {
        Invariant.Check(
            RecordCopy.TryFind(record, PropertyKind.TransactionReference, out var content),
            "a copy of a half message says which one it stands for");
        var reader = new ByteReader(content);
        reader.Version(FormatVersion);
        var reference = new TransactionReference(reader.Int64(), reader.Int32());
        reader.End();
        return reference;
    }
}
