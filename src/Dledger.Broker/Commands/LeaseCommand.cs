namespace Dledger.Broker.Commands;

/// <summary>Body of a Lease record: what one receive takes from the queues of a topic. Layout: FORMAT.md.</summary>
/// <param name="GroupId">The consumer group.</param>
/// <param name="TopicId">The topic.</param>
/// <param name="InvisibleMicroseconds">How long the messages stay invisible from the frame's log time on.</param>
/// <param name="AutoRenew">The leader may extend the lease.</param>
/// <param name="ClientHash">Hash of the client id.</param>
/// <param name="AttemptHash">Hash of client and attempt id; 0 without one.</param>
/// <param name="PreviousHolder">
/// In an exclusive group the client that the leader takes for gone, so that another one may take its place; else 0.
/// </param>
/// <param name="Queues">By ascending queue id.</param>
internal sealed record LeaseCommand(
    int GroupId,
    int TopicId,
    long InvisibleMicroseconds,
    bool AutoRenew,
    long ClientHash,
    UInt128 AttemptHash,
    long PreviousHolder,
    IReadOnlyList<LeaseQueue> Queues)
{
    private const byte FormatVersion = 2;

    // With the keys of a group that remembers what it processed.
    private const byte KeyedVersion = 3;

    public byte[] Encode()
    {
        var isKeyed = Queues.Any(queue => queue.Keys.Count + queue.RepeatKeys.Count > 0);
        var writer = new ByteWriter(128);
        writer.Byte(isKeyed ? KeyedVersion : FormatVersion);
        writer.Flag(AutoRenew);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        writer.Int64(InvisibleMicroseconds);
        writer.Int64(ClientHash);
        writer.UInt128(AttemptHash);
        writer.Int64(PreviousHolder);
        writer.Int32(Queues.Count);
        foreach (var queue in Queues)
        {
            writer.Int32(queue.QueueId);
            WriteRanges(writer, queue.Leased);
            WriteRanges(writer, queue.Skipped);
            writer.Int64(queue.AsideBelow);
            writer.Int64(queue.Base);
            writer.Int32(queue.GroupHashes.Count);
            foreach (var hash in queue.GroupHashes)
            {
                writer.Int32(hash);
            }

            if (isKeyed)
            {
                WriteKeys(writer, queue.Keys);
                WriteRanges(writer, queue.Repeats);
                WriteKeys(writer, queue.RepeatKeys);
            }
        }

        return writer.ToArray();
    }

    public static LeaseCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        var isKeyed = body.Length > 0 && body[0] == KeyedVersion;
        reader.Version(isKeyed ? KeyedVersion : FormatVersion);
        var autoRenew = reader.Flag();
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var invisible = reader.Int64();
        var clientHash = reader.Int64();
        var attemptHash = reader.UInt128();
        var previousHolder = reader.Int64();
        var queues = new LeaseQueue[reader.Count(32)];
        for (var i = 0; i < queues.Length; i++)
        {
            queues[i] = new LeaseQueue(reader.Int32(), ReadRanges(ref reader), ReadRanges(ref reader))
            {
                AsideBelow = reader.Int64(),
                Base = reader.Int64(),
                GroupHashes = ReadHashes(ref reader),
                Keys = isKeyed ? ReadKeys(ref reader) : [],
                Repeats = isKeyed ? ReadRanges(ref reader) : [],
                RepeatKeys = isKeyed ? ReadKeys(ref reader) : [],
            };
        }

        reader.End();
        return new LeaseCommand(
            groupId, topicId, invisible, autoRenew, clientHash, attemptHash, previousHolder, queues);
    }

    private static void WriteKeys(ByteWriter writer, IReadOnlyList<UInt128> keys)
    {
        writer.Int32(keys.Count);
        foreach (var key in keys)
        {
            writer.UInt128(key);
        }
    }

    private static UInt128[] ReadKeys(ref ByteReader reader)
    {
        var keys = new UInt128[reader.Count(16)];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = reader.UInt128();
        }

        return keys;
    }

    private static int[] ReadHashes(ref ByteReader reader)
    {
        var hashes = new int[reader.Count(4)];
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = reader.Int32();
        }

        return hashes;
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
    int QueueId, IReadOnlyList<OffsetRange> Leased, IReadOnlyList<OffsetRange> Skipped)
{
    /// <summary>What is not finished below this offset makes room in the window; 0 leaves all where it is.</summary>
    public long AsideBelow { get; init; }

    /// <summary>
    /// The offset that the first of <see cref="GroupHashes"/> belongs to: where the leader's knowledge of the queue ended.
    /// </summary>
    public long Base { get; init; }

    /// <summary>
    /// In an ordered group the message groups of all offsets that the record looks at for the first time, taken or passed over, so that
    /// apply checks the order without a look at the messages. Else empty.
    /// </summary>
    public IReadOnlyList<int> GroupHashes { get; init; } = [];

    /// <summary>
    /// In a group that remembers what it processed the keys of the offsets of <see cref="Leased"/>, one for each, 0 without one. Else empty.
    /// </summary>
    public IReadOnlyList<UInt128> Keys { get; init; } = [];

    /// <summary>Offsets whose keys the leader found among the processed ones, ascending: finished without delivery.</summary>
    public IReadOnlyList<OffsetRange> Repeats { get; init; } = [];

    /// <summary>The keys of <see cref="Repeats"/>, one for each offset.</summary>
    public IReadOnlyList<UInt128> RepeatKeys { get; init; } = [];
}
