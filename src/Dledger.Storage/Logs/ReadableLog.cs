using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// What readers of any thread see of a log: the segments in use and the end, published by the writer.
/// </summary>
internal sealed class ReadableLog(Segment[] segments, in ChainTail tail, ClusterSeed seed, int frameBytesMax)
{
    private Segment[] _segments = segments;
    private WrittenTail _written = new(tail.End, tail.HeaderCrc);

    /// <summary>The segments in use, by base. Never changed in place.</summary>
    public Segment[] Segments => Volatile.Read(ref _segments);

    /// <summary>The first position still kept.</summary>
    public LogPosition Start => Segments[0].Base;

    /// <summary>Position behind the last frame written.</summary>
    public LogPosition End => Volatile.Read(ref _written).End;

    /// <summary>
    /// Writer: a new list of segments. When the end moves into a new segment, that one is published first.
    /// </summary>
    public void Publish(Segment[] next) => Volatile.Write(ref _segments, next);

    /// <summary>Writer: a new end.</summary>
    public void Publish(in ChainTail tail) => Volatile.Write(ref _written, new WrittenTail(tail.End, tail.HeaderCrc));

    /// <summary>Writer: another log. A read in between finds bytes that fail their checksums, or none.</summary>
    public void Replace(Segment[] next, in ChainTail tail)
    {
        Publish(tail);
        Publish(next);
    }

    /// <summary>See <see cref="CommitLog.Read"/>.</summary>
    public int Read(LogPosition position, Span<byte> destination)
    {
        // The end before the segments: a roll publishes the new segment first, so the array is never older than the
        // end.
        var end = End;
        var segments = Segments;
        var total = 0;
        while (total < destination.Length && position >= segments[0].Base && position < end)
        {
            var index = Segment.FindIndex(segments, position);
            var limit = index + 1 < segments.Length ? LogPosition.Min(end, segments[index + 1].Base) : end;
            var wanted = (int)Math.Min(destination.Length - total, limit - position);
            var read = ReadSegment(segments[index], position, destination.Slice(total, wanted));
            total += read;
            position += read;
            if (read < wanted)
            {
                break;
            }
        }

        return total;
    }

    /// <summary>See <see cref="CommitLog.Prefetch"/>.</summary>
    public void Prefetch(LogPosition position, int length)
    {
        var segments = Segments;
        var index = Segment.FindIndex(segments, position);
        if (index < 0 || !segments[index].TryAcquire())
        {
            return;
        }

        try
        {
            segments[index].File.Prefetch(segments[index].FileOffset(position), length);
        }
        finally
        {
            segments[index].Release();
        }
    }

    /// <summary>Reads the header of the frame that begins at a position; false when none does.</summary>
    public bool TryReadHeader(LogPosition position, out FrameHeader header)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Size];
        header = default;
        return Read(position, bytes) == bytes.Length
            && FrameHeader.TryParse(bytes, seed, frameBytesMax, out header, out _)
            && header.Base == position;
    }

    /// <summary>See <see cref="CommitLog.TryReadChain"/>.</summary>
    public bool TryReadChain(LogPosition end, out uint headerCrc)
    {
        var first = Segments[0];
        if (end == first.Base)
        {
            headerCrc = first.Header.BaseHeaderCrc;
            return true;
        }

        var written = Volatile.Read(ref _written);
        if (end == written.End)
        {
            headerCrc = written.HeaderCrc;
            return true;
        }

        var found = TryReadHeader(end, out var header);
        headerCrc = header.PreviousHeaderCrc;
        return found;
    }

    /// <summary>Writer: the tail that the log would have if it ended at a frame boundary before its end.</summary>
    public ChainTail ReadTail(LogPosition end)
    {
        var first = Segments[0];
        if (end == first.Base)
        {
            return first.Header.BaseTail;
        }

        if (TryReadHeader(end, out var next) && TryReadHeader(end + -next.PreviousFrameLength, out var last))
        {
            return last.Tail;
        }

        throw new DamagedFileException(first.Path, $"no frame begins at {end}, or the one before it cannot be read");
    }

    private static int ReadSegment(Segment segment, LogPosition position, Span<byte> destination)
    {
        if (!segment.TryAcquire())
        {
            return 0;
        }

        try
        {
            return segment.File.Read(segment.FileOffset(position), destination);
        }
        finally
        {
            segment.Release();
        }
    }

    // One object, so that a reader never pairs the end of one frame with the checksum of another.
    private sealed record WrittenTail(LogPosition End, uint HeaderCrc);
}
