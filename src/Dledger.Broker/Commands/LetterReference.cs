namespace Dledger.Broker.Commands;

/// <summary>Which dead letter a Resend record sends again; stored in the record's properties. Layout: FORMAT.md.</summary>
/// <param name="TopicId">The dead letter topic.</param>
/// <param name="QueueId">The letter's queue.</param>
/// <param name="Offset">The letter's offset.</param>
internal readonly record struct LetterReference(int TopicId, int QueueId, long Offset)
{
    /// <summary>Bytes of one in a list.</summary>
    public const int EncodedBytes = 16;

    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        Write(writer);
        return writer.ToArray();
    }

    public void Write(ByteWriter writer)
    {
        writer.Int32(TopicId);
        writer.Int32(QueueId);
        writer.Int64(Offset);
    }

    public static LetterReference Read(ref ByteReader reader) => new(reader.Int32(), reader.Int32(), reader.Int64());

    public static LetterReference Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        reader.Version(FormatVersion);
        var reference = Read(ref reader);
        reader.End();
        return reference;
    }
}
