namespace Dledger.Broker.Commands;

/// <summary>Body of a LiteCreate record: a name gets a queue of its parent, unless it has one. Layout: FORMAT.md.</summary>
internal sealed record LiteCreateCommand(int TopicId, string Name)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(TopicId);
        writer.Text(Name);
        return writer.ToArray();
    }

    public static LiteCreateCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var command = new LiteCreateCommand(reader.Int32(), reader.Text());
        reader.End();
        return command;
    }
}
