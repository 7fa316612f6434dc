using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>
/// Body of a Replay record: messages of one queue that a group has finished wait for it again. Layout: FORMAT.md.
/// </summary>
/// <param name="GroupId">The group.</param>
/// <param name="TopicId">The topic.</param>
/// <param name="QueueId">The queue.</param>
/// <param name="AsideMax">The record has no effect when more than so many messages of the topic would lie behind the group.</param>
/// <param name="Ranges">Which messages; ascending.</param>
/// <param name="GroupHashes">For ordered groups the message group of each of them; else empty.</param>
internal sealed record ReplayCommand(
    int GroupId, int TopicId, int QueueId, int AsideMax, IReadOnlyList<OffsetRange> Ranges, IReadOnlyList<int> GroupHashes)
{
    /// <summary>Most messages of one record, so that applying it never takes long.</summary>
    public const int CountMax = 4_096;

    private const byte FormatVersion = 2;
    private const int RangeBytes = 12;

    /// <summary>
    /// The dead letter for whose sake the one message of the record comes again; null in a replay that an operator chose himself.
    /// </summary>
    public LetterReference? Letter { get; init; }

    public byte[] Encode()
    {
        var writer = new ByteWriter(64 + (Ranges.Count * RangeBytes) + (GroupHashes.Count * sizeof(int)));
        writer.Byte(FormatVersion);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        writer.Int32(QueueId);
        writer.Int32(AsideMax);
        writer.Int32(Ranges.Count);
        foreach (var range in Ranges)
        {
            writer.Int64(range.First);
            writer.Int32(range.Count);
        }

        writer.Int32(GroupHashes.Count);
        foreach (var hash in GroupHashes)
        {
            writer.Int32(hash);
        }

        writer.Flag(Letter is not null);
        Letter?.Write(writer);
        return writer.ToArray();
    }

    public static ReplayCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var (groupId, topicId, queueId, asideMax) = (reader.Int32(), reader.Int32(), reader.Int32(), reader.Int32());
        var ranges = new OffsetRange[reader.Count(RangeBytes)];
        var count = 0L;
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new OffsetRange(reader.Int64(), reader.Int32());
            count += ranges[i].Count;
        }

        var hashes = new int[reader.Count(sizeof(int))];
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = reader.Int32();
        }

        LetterReference? letter = reader.Flag() ? LetterReference.Read(ref reader) : null;
        reader.End();
        Invariant.Check(letter is null || count == 1, $"a dead letter of {count} messages");
        Invariant.Check(hashes.Length == 0 || hashes.Length == count, $"{hashes.Length} message groups of {count} messages");
        return new ReplayCommand(groupId, topicId, queueId, asideMax, ranges, hashes) { Letter = letter };
    }
}
