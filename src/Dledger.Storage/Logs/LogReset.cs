using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Replaces a log, whatever is left of it, by an empty one that begins where a snapshot says.</summary>
/// <remarks>
/// Section 2.20 step 5. Can be repeated at any point: the caller holds a durable intent in the meta file until it
/// returns. Segments go newest first, so that what a crash leaves is a prefix of the old log. Spares stay.
/// </remarks>
internal sealed class LogReset(IDisk disk, string directory, CommitLogOptions options, LogIdentity identity)
{
    private readonly byte[] _page = new byte[CommitLogOptions.SegmentHeaderBytes];
    private readonly List<(LogPosition Base, string Path)> _segments = [];
    private long _watermarkSequence;

    /// <summary>Returns when the new log is durable: its only segment, its watermark, the sequence of its
    /// start.</summary>
    public (Segment Segment, WatermarkSlot Watermark, long StartSequence) Run(in ChainTail start)
    {
        disk.CreateDirectory(directory);
        ReadDirectory();
        foreach (var (_, path) in _segments.OrderByDescending(segment => segment.Base))
        {
            Remove(path);
        }

        disk.SyncDirectory(directory);
        var sequence = (disk.Exists($"{directory}/{LogStartFile.Name}")
            ? LogStartFile.Read(disk, directory, identity)?.Sequence
            : null) ?? 0;
        new LogStartFile(disk, directory, identity, sequence).Write(start);
        var slot = new WatermarkSlot(_watermarkSequence + 1, start.End);
        return (CreateSegment(disk, directory, options, identity, start, slot), slot, sequence + 1);
    }

    /// <summary>The first segment of a log: durable when it returns, its name included.</summary>
    public static Segment CreateSegment(
        IDisk disk,
        string directory,
        CommitLogOptions options,
        LogIdentity identity,
        in ChainTail start,
        in WatermarkSlot slot)
    {
        var path = $"{directory}/{LogRecovery.SegmentName(start.End)}";
        for (var number = 0; disk.Exists(path); number++)
        {
            // A file whose header was lost has the name; the header decides, not the name.
            path = $"{directory}/unprepared-{number}";
        }

        var file = disk.Open(path, DiskOpenMode.CreateNew);
        file.Allocate(CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes);
        var header = SegmentHeader.After(start, identity, zeroFilled: false);
        var page = new byte[CommitLogOptions.SegmentHeaderBytes];
        header.Write(page);
        slot.Write(page.AsSpan(slot.FileOffset), identity.Seed);
        file.Write(0, page);
        file.Sync();
        disk.SyncDirectory(directory);
        disk.SyncDirectory(DiskPaths.ParentOf(directory));
        return new Segment(file, path, header);
    }

    private void ReadDirectory()
    {
        foreach (var name in disk.List(directory))
        {
            // A preparer may be at work on the files that it fills.
            var isKept = name.StartsWith(LogSurvey.FillingPrefix, StringComparison.Ordinal)
                || name is LogStartFile.Name or LogStartFile.DraftName or SpaceReserve.Name;
            if (isKept || ReadPage(name) == SegmentHeaderState.Spare)
            {
                continue;
            }

            // One without a readable base goes first; log checkpoints are among them, and speak of the old log.
            var hasBase = SegmentHeader.Parse(_page, out var header, out _) == SegmentHeaderState.Valid;
            _segments.Add((hasBase ? header.Base : new LogPosition(long.MaxValue), $"{directory}/{name}"));
        }
    }

    private SegmentHeaderState ReadPage(string name)
    {
        using var file = disk.Open($"{directory}/{name}", DiskOpenMode.Read);
        _page.AsSpan().Clear();
        if (file.Read(0, _page) < _page.Length)
        {
            return SegmentHeaderState.Damaged;
        }

        if (WatermarkSlot.FindNewest(_page, identity.Seed) is { } slot)
        {
            _watermarkSequence = Math.Max(_watermarkSequence, slot.Sequence);
        }

        var isSpare = name.StartsWith(LogSurvey.SparePrefix, StringComparison.Ordinal);
        var state = SegmentHeader.Parse(_page, out _, out _);
        return state == SegmentHeaderState.Spare && !isSpare ? SegmentHeaderState.Retired : state;
    }

    private void Remove(string path)
    {
        using var file = disk.Open(path, DiskOpenMode.ReadWrite);
        Span<byte> sector = stackalloc byte[SegmentHeader.SectorBytes];
        SegmentHeader.WriteRetired(sector);
        file.Write(0, sector);
        file.Sync();
        disk.Delete(path);
    }
}
