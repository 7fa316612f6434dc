using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>A queue and where a group shall stand in it.</summary>
internal readonly record struct QueueTarget(int QueueId, long Offset)
{
    private const int Bytes = 12;

    public static void Write(ByteWriter writer, IReadOnlyList<QueueTarget> targets)
    {
        writer.Int32(targets.Count);
        foreach (var (queueId, offset) in targets)
        {
            writer.Int32(queueId);
            writer.Int64(offset);
        }
    }

    public static QueueTarget[] Read(ref ByteReader reader)
    {
        var targets = new QueueTarget[reader.Count(Bytes)];
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i] = new QueueTarget(reader.Int32(), reader.Int64());
        }

        return targets;
    }
}

/// <summary>
/// Body of a ResetOffset record of form 1: a group goes to these offsets, forward or back, whatever it is doing there. Layout:
/// FORMAT.md.
/// </summary>
internal sealed record SeekCommand(int GroupId, int TopicId, IReadOnlyList<QueueTarget> Queues)
{
    /// <summary>The second byte of the record's body.</summary>
    public const byte Form = 1;

    private const byte FormatVersion = 1;

    /// <summary>Whether a ResetOffset record is of this form.</summary>
    public static bool IsSeek(ReadOnlySpan<byte> body) => body.Length > 1 && body[1] == Form;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Byte(Form);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        QueueTarget.Write(writer, Queues);
        return writer.ToArray();
    }

    public static SeekCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var form = reader.Byte();
        Invariant.Check(form == Form, $"a stored seek has form {form}");
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var queues = QueueTarget.Read(ref reader);
        reader.End();
        return new SeekCommand(groupId, topicId, queues);
    }
}
