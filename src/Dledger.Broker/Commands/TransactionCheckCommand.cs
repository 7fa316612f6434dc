namespace Dledger.Broker.Commands;

/// <summary>Body of a TransactionCheck record: transactions that are asked about now, or given up. Layout: FORMAT.md.</summary>
internal sealed record TransactionCheckCommand(IReadOnlyList<long> Ids)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(8 + (Ids.Count * 8));
        writer.Byte(FormatVersion);
        IdList.Write(writer, Ids);
        return writer.ToArray();
    }

    public static TransactionCheckCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var command = new TransactionCheckCommand(IdList.Read(ref reader));
        reader.End();
        return command;
    }
}
