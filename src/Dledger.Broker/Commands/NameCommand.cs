namespace Dledger.Broker.Commands;

/// <summary>Body of a TopicDelete or GroupDelete record: the name. Layout: FORMAT.md.</summary>
internal readonly record struct NameCommand(string Name)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Text(Name);
        return writer.ToArray();
    }

    public static NameCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var name = reader.Text();
        reader.End();
        return new NameCommand(name);
    }
}
