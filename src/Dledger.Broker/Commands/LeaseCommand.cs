namespace Dledger.Broker.Commands;

/// <summary>Body of a Lease record: what one receive takes from the queues of a topic. Layout: FORMAT.md.</summary>
/// <param name="GroupId">The consumer group.</param>
/// <param name="TopicId">The topic.</param>
/// <param name="InvisibleMicroseconds">How long the messages stay invisible from the frame's log time on.</param>
/// <param name="AutoRenew">The leader may extend the lease.</param>
/// <param name="ClientHash">Hash of the client id.</param>
/// <param name="AttemptHash">Hash of client and attempt id; 0 without one.</param>
/// <param name="Queues">By ascending queue id.</param>
internal sealed record LeaseCommand(
    int GroupId,
    int TopicId,
    long InvisibleMicroseconds,
    bool AutoRenew,
    long ClientHash,
    UInt128 AttemptHash,
    IReadOnlyList<LeaseQueue> Queues)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(128);
        writer.Byte(FormatVersion);
        writer.Flag(AutoRenew);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        writer.Int64(InvisibleMicroseconds);
        writer.Int64(ClientHash);
        writer.UInt128(AttemptHash);
        writer.Int32(Queues.Count);
        foreach (var queue in Queues)
        {
            writer.Int32(queue.QueueId);
            WriteRanges(writer, queue.Leased);
            WriteRanges(writer, queue.Skipped);
        }

        return writer.ToArray();
    }

    public static LeaseCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var autoRenew = reader.Flag();
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var invisible = reader.Int64();
        var clientHash = reader.Int64();
        var attemptHash = reader.UInt128();
        var queues = new LeaseQueue[reader.Count(12)];
        for (var i = 0; i < queues.Length; i++)
        {
            queues[i] = new LeaseQueue(reader.Int32(), ReadRanges(ref reader), ReadRanges(ref reader));
        }

        reader.End();
        return new LeaseCommand(groupId, topicId, invisible, autoRenew, clientHash, attemptHash, queues);
    }

    private static void WriteRanges(ByteWriter writer, IReadOnlyList<OffsetRange> ranges)
    {
        writer.Int32(ranges.Count);
        foreach (var range in ranges)
        {
            writer.Int64(range.First);
            writer.Int32(range.Count);
        }
    }

    private static OffsetRange[] ReadRanges(ref ByteReader reader)
    {
        var ranges = new OffsetRange[reader.Count(12)];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new OffsetRange(reader.Int64(), reader.Int32());
        }

        return ranges;
    }
}

/// <summary>The part of a lease in one queue.</summary>
/// <param name="QueueId">The queue.</param>
/// <param name="Leased">Offsets to hand out, ascending.</param>
/// <param name="Skipped">Offsets whose messages the filter leaves out, ascending: finished without delivery.</param>
internal sealed record LeaseQueue(
    int QueueId, IReadOnlyList<OffsetRange> Leased, IReadOnlyList<OffsetRange> Skipped);
