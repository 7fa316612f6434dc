using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>
/// Body of a ResetOffset record of form 0: a group that starts with new messages reads a topic for the first time; its
/// offsets become the present ends of the queues. No effect when the group reads the topic already. Layout: FORMAT.md.
/// </summary>
internal readonly record struct SubscribeCommand(int GroupId, int TopicId)
{
    private const byte FormatVersion = 1;
    private const byte SubscribeAtEndForm = 0;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Byte(SubscribeAtEndForm);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        return writer.ToArray();
    }

    public static SubscribeCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var form = reader.Byte();
        Invariant.Check(form == SubscribeAtEndForm, $"a stored offset reset has form {form}");
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        reader.End();
        return new SubscribeCommand(groupId, topicId);
    }
}
