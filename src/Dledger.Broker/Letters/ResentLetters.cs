using Dledger.Broker.Commands;

namespace Dledger.Broker.Letters;

/// <summary>Dead letters that were sent again, so that it happens once. Replicated state, owned by the apply loop.</summary>
/// <remarks>
/// Ranges of offsets per queue of dead letters: no more than letters that are kept, and one when all were sent again. What retention takes
/// is forgotten with it.
/// </remarks>
internal sealed class ResentLetters(SeededDefect defect = SeededDefect.None)
{
    private const byte FormatVersion = 1;

    private readonly SortedDictionary<(int TopicId, int QueueId), List<OffsetRange>> _queues = [];

    /// <summary>Whether a letter was sent again.</summary>
    public bool Contains(in LetterReference letter) =>
        defect != SeededDefect.LetterSentTwice
        && _queues.TryGetValue((letter.TopicId, letter.QueueId), out var ranges)
        && FindBehind(ranges, letter.Offset) is > 0 and var behind
        && ranges[behind - 1].End > letter.Offset;

    /// <summary>How many letters of a queue were sent again.</summary>
    public long Count(int topicId, int queueId) =>
        _queues.TryGetValue((topicId, queueId), out var ranges) ? ranges.Sum(range => (long)range.Count) : 0;

    /// <summary>Notes a letter; false when it was noted before.</summary>
    public bool TryAdd(in LetterReference letter)
    {
        if (Contains(letter))
        {
            return false;
        }

        if (!_queues.TryGetValue((letter.TopicId, letter.QueueId), out var ranges))
        {
            _queues.Add((letter.TopicId, letter.QueueId), ranges = []);
        }

        // Joined with its neighbours, so that equal sets have one form.
        var at = FindBehind(ranges, letter.Offset);
        var range = new OffsetRange(letter.Offset, 1);
        if (at < ranges.Count && ranges[at].First == range.End)
        {
            range = range with { Count = 1 + ranges[at].Count };
            ranges.RemoveAt(at);
        }

        if (at > 0 && ranges[at - 1].End == range.First)
        {
            at--;
            range = new OffsetRange(ranges[at].First, ranges[at].Count + range.Count);
            ranges.RemoveAt(at);
        }

        ranges.Insert(at, range);
        return true;
    }

    /// <summary>The letters below an offset are gone.</summary>
    public void ForgetBelow(int topicId, int queueId, long min)
    {
        if (!_queues.TryGetValue((topicId, queueId), out var ranges) || ranges[0].First >= min)
        {
            return;
        }

        ranges.RemoveAll(range => range.End <= min);
        if (ranges.Count == 0)
        {
            _queues.Remove((topicId, queueId));
        }
        else if (ranges[0].First < min)
        {
            ranges[0] = new OffsetRange(min, (int)(ranges[0].End - min));
        }
    }

    /// <summary>The topic is gone.</summary>
    public void Forget(int topicId)
    {
        foreach (var key in _queues.Keys.Where(key => key.TopicId == topicId).ToList())
        {
            _queues.Remove(key);
        }
    }

    /// <summary>The part of a checkpoint. Layout: Checkpoints/FORMAT.md.</summary>
    public ReadOnlyMemory<byte> Write()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(_queues.Count);
        foreach (var ((topicId, queueId), ranges) in _queues)
        {
            writer.Int32(topicId);
            writer.Int32(queueId);
            writer.Int32(ranges.Count);
            foreach (var range in ranges)
            {
                writer.Int64(range.First);
                writer.Int32(range.Count);
            }
        }

        return writer.Written;
    }

    /// <summary>Takes what <see cref="Write"/> made.</summary>
    public void Read(ReadOnlySpan<byte> part)
    {
        var reader = new ByteReader(part);
        reader.Version(FormatVersion);
        for (var left = reader.Count(12); left > 0; left--)
        {
            var key = (reader.Int32(), reader.Int32());
            var ranges = new List<OffsetRange>();
            for (var count = reader.Count(12); count > 0; count--)
            {
                ranges.Add(new OffsetRange(reader.Int64(), reader.Int32()));
            }

            _queues.Add(key, ranges);
        }

        reader.End();
    }

    // The first range that begins behind an offset.
    private static int FindBehind(List<OffsetRange> ranges, long offset)
    {
        var (low, high) = (0, ranges.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = ranges[middle].First <= offset ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
