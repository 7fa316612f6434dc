using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

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

    public SegmentHeader Header { get; private set; } = header;

    /// <summary>Whether the header page was damaged: what <see cref="Header"/> says was found elsewhere.</summary>
    public bool IsHeaderDamaged { get; init; }

    public LogPosition Base => Header.Base;

    /// <summary>Recovery: what a damaged header page must have said about the frame before the segment.</summary>
    public void RebuildHeader(in ChainTail tail, LogIdentity identity) =>
        Header = SegmentHeader.After(tail, identity, zeroFilled: false);

    /// <summary>Writes the header sector once more; the watermark slots stay. Durable when it returns.</summary>
    public void WriteHeader()
    {
        var page = new byte[CommitLogOptions.SegmentHeaderBytes];
        Header.Write(page);
        File.Write(0, page.AsSpan(0, SegmentHeader.SectorBytes));
        File.Sync();
    }

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

    /// <summary>
    /// Gives the writer's reference back and takes the file, which stays open; false when a read holds it.
    /// </summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _references, 0, 1) == 1;

    /// <summary>Gives a reference back.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            File.Dispose();
        }
    }
}
