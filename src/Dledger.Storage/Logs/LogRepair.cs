using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Fills the damaged ranges of a log that could not be opened, with bytes of a peer.</summary>
/// <remarks>
/// When no range is left the log is opened again, which verifies all of it. If a range cannot be had, a snapshot takes
/// the log's place (<see cref="CommitLog.ResetOnDisk"/>). One thread; nobody else has the directory open.
/// </remarks>
public sealed class LogRepair
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly CommitLogOptions _options;
    private readonly LogIdentity _identity;
    private readonly List<DamagedRange> _ranges;

    internal LogRepair(
        IDisk disk,
        string directory,
        CommitLogOptions options,
        LogIdentity identity,
        IEnumerable<DamagedRange> ranges)
    {
        _disk = disk;
        _directory = directory;
        _options = options;
        _identity = identity;
        _ranges = [.. ranges];
    }

    /// <summary>What is left, in order.</summary>
    public IReadOnlyList<DamagedRange> Ranges => _ranges;

    /// <summary>Whether the log may be opened again.</summary>
    public bool IsComplete => _ranges.Count == 0;

    /// <summary>
    /// Writes whole committed frames from the beginning of a range on, all of it or a part; null when they are durable.
    /// Bytes that do not continue the good frame before the range, or do not join the one behind it, are refused with a
    /// reason, and nothing is written.
    /// </summary>
    /// <param name="from">Where the range begins.</param>
    /// <param name="frames">The bytes; only committed ones of a peer.</param>
    public string? RepairRange(LogPosition from, ReadOnlySpan<byte> frames)
    {
        var index = _ranges.FindIndex(range => range.From == from);
        if (index < 0)
        {
            return $"no damaged range begins at {from}";
        }

        var damaged = _ranges[index];
        var fault = RangeRepair.FindFault(damaged, frames, _identity.Seed, _options.FrameBytesMax, out var tail);
        if (fault is not null)
        {
            return fault;
        }

        var segment = damaged.File is { } file ? Open(file.Path, file.Base) : CreateFirst(damaged);
        try
        {
            RangeRepair.Write(segment, from, frames);
        }
        finally
        {
            segment.Release();
        }

        damaged = damaged with { File = (segment.Path, segment.Base) };
        if (RangeRepair.Rest(damaged, tail) is { } rest)
        {
            _ranges[index] = rest;
        }
        else
        {
            _ranges.RemoveAt(index);
        }

        return null;
    }

    private Segment Open(string path, LogPosition segmentBase)
    {
        // Its header may be damaged, and only says what the range knows.
        var tail = new ChainTail(segmentBase, 0, 0, Term.Zero, 0);
        var file = _disk.Open(path, DiskOpenMode.ReadWrite);
        return new Segment(file, path, SegmentHeader.After(tail, _identity, zeroFilled: false));
    }

    /// <summary>The first segment is gone as a whole. Its slot counts less than any other.</summary>
    private Segment CreateFirst(DamagedRange range) => LogReset.CreateSegment(
        _disk, _directory, _options, _identity, range.Before!.Value, new WatermarkSlot(0, range.From));
}
