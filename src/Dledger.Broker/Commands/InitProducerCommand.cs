namespace Dledger.Broker.Commands;

/// <summary>Body of an InitProducer record. Layout: FORMAT.md.</summary>
/// <param name="Name">Empty for a producer that nobody takes over.</param>
/// <param name="ExpiryMicroseconds">Log time without use after which it is forgotten.</param>
internal sealed record InitProducerCommand(string Name, long ExpiryMicroseconds)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int64(ExpiryMicroseconds);
        writer.Text(Name);
        return writer.ToArray();
    }

    public static InitProducerCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var expiry = reader.Int64();
        var command = new InitProducerCommand(reader.Text(), expiry);
        reader.End();
        return command;
    }
}
