using Dledger.Broker.Transactions;

namespace Dledger.Broker.Commands;

/// <summary>
/// Body of an EndTransaction record: how transactions end, all of them or none. The copies of a commit follow in the same frame.
/// Layout: FORMAT.md.
/// </summary>
internal sealed record EndTransactionCommand(
    TransactionDecision Decision, TransactionDecider Decider, IReadOnlyList<long> Ids)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(8 + (Ids.Count * 8));
        writer.Byte(FormatVersion);
        writer.Byte((byte)Decision);
        writer.Byte((byte)Decider);
        IdList.Write(writer, Ids);
        return writer.ToArray();
    }

    public static EndTransactionCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var command = new EndTransactionCommand(
            (TransactionDecision)reader.Byte(), (TransactionDecider)reader.Byte(), IdList.Read(ref reader));
        reader.End();
        return command;
    }
}
