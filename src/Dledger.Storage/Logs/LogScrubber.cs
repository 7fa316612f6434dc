using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Reads the sealed segments of a log again and again, slowly, to find damage before somebody needs
/// them.</summary>
/// <remarks>
/// A step reads about a mebibyte from the device, not from memory, and drops it from memory again, so that the log's
/// tail
/// stays there. After each segment the place is noted in the file "scrub" of the log's directory (base of the next
/// segment
/// 8, crc 4, little-endian): it need not be durable, at worst a pass begins anew. One thread, any; the log may be
/// written
/// meanwhile.
/// </remarks>
public sealed class LogScrubber
{
    internal const string PlaceName = "scrub";

    private const int StepBytes = 1 << 20;
    private const int PlaceBytes = 12;

    private readonly CommitLog _log;
    private readonly ReadableLog _readable;
    private readonly IDisk _disk;
    private readonly string _placePath;
    private ChainTail? _tail;
    private LogPosition _next;

    internal LogScrubber(CommitLog log, ReadableLog readable, IDisk disk, string directory)
    {
        _log = log;
        _readable = readable;
        _disk = disk;
        _placePath = $"{directory}/{PlaceName}";
        _next = ReadPlace();
    }

    /// <summary>Where the next step begins to read.</summary>
    public LogPosition Position => _tail?.End ?? _next;

    /// <summary>How long to wait after a step so that the rate of the options is kept.</summary>
    public TimeSpan PauseAfter(in ScrubStep step) =>
        TimeSpan.FromSeconds((double)step.ReadBytes / _log.Options.ScrubBytesPerSecond);

    /// <summary>Goes to the beginning of the segment that holds a position: somebody could not read there.</summary>
    public void Seek(LogPosition position)
    {
        _tail = null;
        _next = SegmentBaseBelow(position);
    }

    /// <summary>Reads the next piece.</summary>
    public ScrubStep Step()
    {
        var segments = _readable.Segments;
        var sealedEnd = segments[^1].Base;
        if (segments.Length == 1)
        {
            return default;
        }

        var position = Position;
        if (position < segments[0].Base || position >= sealedEnd)
        {
            // The start has moved past it, or a new pass begins.
            _tail = null;
            position = segments[0].Base;
        }

        var index = Segment.FindIndex(segments, position);
        var segment = segments[index];
        if (!segment.TryAcquire())
        {
            return default;
        }

        try
        {
            var isFirst = _tail is null || position == segment.Base;
            var header = isFirst && !IsHeaderSound(segment) ? segment.Base : (LogPosition?)null;
            var step = Read(segments, index, isFirst ? segment.Header.BaseTail : _tail!.Value);
            return step with { DamagedHeader = header };
        }
        finally
        {
            segment.Release();
        }
    }

    private ScrubStep Read(Segment[] segments, int index, in ChainTail from)
    {
        var segment = segments[index];
        var end = segments[index + 1].Base;
        var offset = segment.FileOffset(from.End);
        var room = Math.Min(end - from.End, StepBytes + _log.Options.FrameBytesMax);
        segment.File.DropCache(offset, room);
        var scanner = new FrameScanner([segment, segments[index + 1]], from, _log.Identity, _log.Options.FrameBytesMax);
        string? fault = null;
        while (scanner.Tail.End < end && scanner.Tail.End - from.End < StepBytes && scanner.TryNext(out _, out fault))
        {
            // Valid.
        }

        DamagedRange? damage = null;
        if (scanner.Tail.End < end && fault is not null)
        {
            var before = scanner.Tail;
            scanner.TryResync(out var link);
            damage = new DamagedRange
            {
                From = before.End,
                To = scanner.Tail.End,
                Minimum = scanner.Tail.End,
                Before = before,
                After = link,
                Reason = $"sealed segment '{segment.Path}': {fault}",
            };
        }

        segment.File.DropCache(offset, room);
        _tail = scanner.Tail;
        var isDone = scanner.Tail.End >= end;
        if (isDone)
        {
            _tail = null;
            _next = end;
            WritePlace();
        }

        return new ScrubStep(
            scanner.Tail.End - from.End, damage, null, isDone && end >= segments[^1].Base);
    }

    private static bool IsHeaderSound(Segment segment)
    {
        var page = new byte[SegmentHeader.SectorBytes];
        segment.File.DropCache(0, CommitLogOptions.SegmentHeaderBytes);
        try
        {
            return segment.File.Read(0, page) == page.Length
                && SegmentHeader.Parse(page, out var header, out _) == SegmentHeaderState.Valid
                && header == segment.Header;
        }
        catch (StorageFaultException fault) when (fault.Errno == StorageFaultException.DeviceError)
        {
            return false;
        }
    }

    private LogPosition ReadPlace()
    {
        if (!_disk.Exists(_placePath))
        {
            return LogPosition.Zero;
        }

        using var file = _disk.Open(_placePath, DiskOpenMode.Read);
        Span<byte> bytes = stackalloc byte[PlaceBytes];
        return file.Read(0, bytes) == PlaceBytes
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) == Crc32C.Append(_log.Seed.Value, bytes[..8])
                ? SegmentBaseBelow(new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes)))
                : LogPosition.Zero;
    }

    /// <summary>The log may have been cut or replaced since: a pass goes on only at a segment that is there.</summary>
    private LogPosition SegmentBaseBelow(LogPosition position)
    {
        var segments = _readable.Segments;
        var index = Segment.FindIndex(segments, position);
        return index < 0 ? LogPosition.Zero : segments[index].Base;
    }

    private void WritePlace()
    {
        Span<byte> bytes = stackalloc byte[PlaceBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, _next.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Crc32C.Append(_log.Seed.Value, bytes[..8]));
        try
        {
            using var file = _disk.Open(_placePath, DiskOpenMode.OpenOrCreate);
            file.Write(0, bytes);
        }
        catch (StorageFaultException)
        {
            // Only the place is lost: whoever writes the log meets the fault where it matters.
        }
    }
}
