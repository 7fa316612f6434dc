using Dledger.Broker.Topics;

namespace Dledger.Broker.Commands;

/// <summary>Body of a TopicTrim record: where queues of one topic shall begin. Layout: FORMAT.md.</summary>
/// <param name="TopicId">The topic.</param>
/// <param name="Retention">
/// What the topic wished when the leader decided; apply does nothing when it wishes something else by then.
/// </param>
/// <param name="Queues">First kept offsets; queues that stay as they are, are left out.</param>
internal sealed record TopicTrimCommand(
    int TopicId, TopicRetention Retention, IReadOnlyList<(int QueueId, long Min)> Queues)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(TopicId);
        writer.Int64(Retention.Microseconds);
        writer.Int64(Retention.Bytes);
        writer.Int32(Queues.Count);
        foreach (var (queueId, min) in Queues)
        {
            writer.Int32(queueId);
            writer.Int64(min);
        }

        return writer.ToArray();
    }

    public static TopicTrimCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var topicId = reader.Int32();
        var retention = new TopicRetention(reader.Int64(), reader.Int64());
        var queues = new (int QueueId, long Min)[reader.Count(12)];
        for (var i = 0; i < queues.Length; i++)
        {
            queues[i] = (reader.Int32(), reader.Int64());
        }

        reader.End();
        return new TopicTrimCommand(topicId, retention, queues);
    }
}
