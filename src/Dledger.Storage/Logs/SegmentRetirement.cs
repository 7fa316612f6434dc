using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>Segments below the log's start, on their way to become spares or to be deleted. Any thread.</summary>
/// <remarks>
/// The header page is killed durably before anything else happens to the file. A file becomes a spare when it has full
/// length, no read holds it and spares are wanted: what it still holds can never pass for a part of the log, as each
/// frame names its position and its predecessor. A crash leaves the rest to the next recovery.
/// </remarks>
internal sealed class SegmentRetirement(
    IDisk disk, string directory, CommitLogOptions options, SparePool spares, Lock names) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Lock _working = new();
    private readonly Queue<Segment> _expired = new();

    /// <summary>Segments that wait.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _expired.Count;
            }
        }
    }

    /// <summary>Takes over the writer's reference of a segment that is published no more.</summary>
    public void Add(Segment segment)
    {
        lock (_lock)
        {
            _expired.Enqueue(segment);
        }
    }

    /// <summary>Retires the oldest one; false when none waits.</summary>
    public bool Step()
    {
        lock (_working)
        {
            return RetireNext();
        }
    }

    /// <summary>Forgets what waits and runs something that no step overlaps: the files go another way.</summary>
    public void Replace(Action replacement)
    {
        lock (_working)
        {
            Dispose();
            lock (names)
            {
                replacement();
            }
        }
    }

    /// <summary>Kills the header page durably, deletes the file and gives the writer's reference back.</summary>
    public static void Delete(IDisk disk, Lock names, Segment segment)
    {
        try
        {
            Span<byte> sector = stackalloc byte[SegmentHeader.SectorBytes];
            SegmentHeader.WriteRetired(sector);
            segment.File.Write(0, sector);
            segment.File.Sync();
            lock (names)
            {
                disk.Delete(segment.Path);
            }
        }
        finally
        {
            segment.Release();
        }
    }

    /// <summary>Closes the files that still wait.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            while (_expired.TryDequeue(out var segment))
            {
                segment.Release();
            }
        }
    }

    private bool RetireNext()
    {
        Segment? segment;
        lock (_lock)
        {
            if (!_expired.TryDequeue(out segment))
            {
                return false;
            }
        }

        var isFull = segment.File.Length == CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes;
        if (isFull && spares.Count < options.SpareCount && segment.TryTake())
        {
            Recycle(segment);
        }
        else
        {
            Delete(disk, names, segment);
        }

        return true;
    }

    private void Recycle(Segment segment)
    {
        var isReady = false;
        try
        {
            var page = new byte[CommitLogOptions.SegmentHeaderBytes];
            SegmentHeader.WriteSpare(page, segment.Header.UseCounter);
            segment.File.Write(0, page);
            segment.File.Sync();
            var path = $"{directory}/{LogSurvey.SparePrefix}{spares.NextNumber()}";
            lock (names)
            {
                disk.Rename(segment.Path, path);
            }

            disk.SyncDirectory(directory);
            spares.Add(new SpareSegment(segment.File, path, ZeroFilled: true, segment.Header.UseCounter));
            isReady = true;
        }
        finally
        {
            if (!isReady)
            {
                segment.File.Dispose();
            }
        }
    }
}
