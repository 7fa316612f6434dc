namespace Dledger.Broker.Commands;

/// <summary>
/// Body of a CommitOffset record: everything below these offsets is finished for the group. Never moves it back. Layout: FORMAT.md.
/// </summary>
internal sealed record CommitOffsetCommand(int GroupId, int TopicId, IReadOnlyList<QueueTarget> Queues)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        QueueTarget.Write(writer, Queues);
        return writer.ToArray();
    }

    public static CommitOffsetCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var queues = QueueTarget.Read(ref reader);
        reader.End();
        return new CommitOffsetCommand(groupId, topicId, queues);
    }
}
