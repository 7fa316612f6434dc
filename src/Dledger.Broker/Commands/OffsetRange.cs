namespace Dledger.Broker.Commands;

/// <summary>Neighbouring queue offsets: <paramref name="Count"/> of them from <paramref name="First"/> on.</summary>
internal readonly record struct OffsetRange(long First, int Count)
{
    /// <summary>The offset behind the last.</summary>
    public long End => First + Count;

    /// <summary>The offsets of a list of ranges, in order.</summary>
    public static IEnumerable<long> Enumerate(IReadOnlyList<OffsetRange> ranges)
    {
        foreach (var range in ranges)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                yield return offset;
            }
        }
    }

    /// <summary>Adds an offset to a list of ascending ranges, to the last one where it continues it.</summary>
    public static void Append(List<OffsetRange> ranges, long offset)
    {
        if (ranges.Count > 0 && ranges[^1].End == offset)
        {
            ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
        }
        else
        {
            ranges.Add(new OffsetRange(offset, 1));
        }
    }
}
