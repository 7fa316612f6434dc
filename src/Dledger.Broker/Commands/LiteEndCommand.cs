namespace Dledger.Broker.Commands;

/// <summary>Body of a LiteEnd record: lite topics go, with what they hold. Layout: FORMAT.md.</summary>
/// <param name="TopicId">The parent.</param>
/// <param name="IsForced">An operator wants it; else apply ends only those that are idle for long and consumed.</param>
/// <param name="Names">At most <see cref="CountMax"/>.</param>
internal sealed record LiteEndCommand(int TopicId, bool IsForced, IReadOnlyList<string> Names)
{
    public const int CountMax = 256;

    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Flag(IsForced);
        writer.Int32(TopicId);
        writer.Int32(Names.Count);
        foreach (var name in Names)
        {
            writer.Text(name);
        }

        return writer.ToArray();
    }

    public static LiteEndCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var isForced = reader.Flag();
        var topicId = reader.Int32();
        var names = new string[reader.Count(2)];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = reader.Text();
        }

        reader.End();
        return new LiteEndCommand(topicId, isForced, names);
    }
}
