using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>One file of the log that is in use: a header page and frames from <see cref="Base"/> on.</summary>
/// <remarks>
/// The writer owns one reference from birth to retirement, every running read another one: the file is closed when the
/// last goes. <see cref="Path"/> is guarded by the log's name lock.
/// </remarks>
internal sealed class Segment(IDiskFile file, string path, in SegmentHeader header)
{
    private int _references = 1;

    public IDiskFile File { get; } = file;

    /// <summary>The file's present name; only cosmetic, the header decides.</summary>
    public string Path { get; set; } = path;

    public SegmentHeader Header { get; } = header;

    public LogPosition Base => Header.Base;

    /// <summary>Where a position of this segment lies in the file.</summary>
    public long FileOffset(LogPosition position) => CommitLogOptions.SegmentHeaderBytes + (position - Base);

    /// <summary>
    /// The index of the segment that holds a position: the last one that begins at or before it; -1 for none.
    /// </summary>
    public static int FindIndex(ReadOnlySpan<Segment> segments, LogPosition position)
    {
        var low = 0;
        var high = segments.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            if (segments[middle].Base <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return high;
    }

    /// <summary>Keeps the file open for a read; false when it was retired.</summary>
    public bool TryAcquire()
    {
        var seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            var found = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Gives a reference back.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            File.Dispose();
        }
    }
}
