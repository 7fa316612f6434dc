using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>The end of a log where frames are added and cut off: gathering, rolling, syncing, the watermark.</summary>
/// <remarks>Owned by the log writer; only <see cref="DurableEnd"/> is for any thread.</remarks>
internal sealed class LogTail
{
    /// <summary>A sealed file that keeps more unused space than this gives it back to the file system.</summary>
    private const long UnusedBytesKept = 16 << 20;

    private static readonly byte[] Zeros = new byte[DiskPage.Bytes];

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly CommitLogOptions _options;
    private readonly LogIdentity _identity;
    private readonly ClusterSeed _seed;
    private readonly TimeProvider _time;
    private readonly ReadableLog _readable;
    private readonly SparePool _spares;
    private readonly Lock _names;
    private LogStartFile _startFile;
    private readonly SegmentRetirement _retirement;
    private readonly SpaceReserve _reserve;
    private readonly List<ReadOnlyMemory<byte>> _gathered = [];
    private readonly byte[] _slotBytes = new byte[WatermarkSlot.Bytes];
    private readonly byte[] _headerPage = new byte[CommitLogOptions.SegmentHeaderBytes];

    private ChainTail _tail;
    private long _durableEnd;
    private bool _headerPagePending;
    private WatermarkSlot _watermark;
    private long _watermarkTime;

    public LogTail(
        IDisk disk,
        string directory,
        CommitLogOptions options,
        LogIdentity identity,
        TimeProvider time,
        CommitLogState state,
        ReadableLog readable,
        SegmentRetirement retirement,
        SpaceReserve reserve,
        Lock names)
    {
        _disk = disk;
        _directory = directory;
        _options = options;
        _identity = identity;
        _seed = identity.Seed;
        _time = time;
        _readable = readable;
        _spares = state.Spares;
        _retirement = retirement;
        _reserve = reserve;
        _names = names;
        _startFile = new LogStartFile(disk, directory, identity, state.StartSequence);
        _tail = state.Tail;
        _durableEnd = state.Tail.End.Value;
        _watermark = state.Watermark;
        _watermarkTime = time.GetTimestamp();
        Epochs = state.Epochs;
        Configurations = state.Configurations;
    }

    /// <summary>The last frame, gathered ones included.</summary>
    public ChainTail Tail => _tail;

    /// <summary>The terms of the log.</summary>
    public EpochTable Epochs { get; private set; }

    /// <summary>The configurations of the log, gathered ones included.</summary>
    public LogConfigurations Configurations { get; private set; }

    /// <summary>Rolls since the log was opened.</summary>
    public long RollCount { get; private set; }

    /// <summary>Called on each roll and when segments expire, for the preparer.</summary>
    public Action? Rolled { get; set; }

    /// <summary>Position up to which the log is durable. Any thread.</summary>
    public LogPosition DurableEnd => new(Volatile.Read(ref _durableEnd));

    private Segment Active => _readable.Segments[^1];

    /// <summary>See <see cref="CommitLog.Append"/>.</summary>
    public int Append(IReadOnlyList<ReadOnlyMemory<byte>> frames)
    {
        for (var i = 0; i < frames.Count; i++)
        {
            var frame = frames[i];
            if (MustRollBefore(frame.Length))
            {
                WriteGathered();
                if (!TryRoll())
                {
                    return i;
                }
            }
            else if (_tail.End - DurableEnd + frame.Length > _options.UnsyncedBytesMax)
            {
                WriteGathered();
                Sync();
            }

            var header = CheckFrame(frame.Span);
            Configurations.Note(header, frame.Span[FrameHeader.Size..]);
            _tail = header.Tail;
            _gathered.Add(frame);
        }

        WriteGathered();
        return frames.Count;
    }

    /// <summary>One fdatasync for everything written, with the watermark when it is due.</summary>
    public void Sync()
    {
        var end = _tail.End;
        if (end == DurableEnd)
        {
            return;
        }

        // The slot claims what earlier syncs made durable, never this one's batch: it may reach the disk before the
        // data.
        var slot = new WatermarkSlot(_watermark.Sequence + 1, DurableEnd);
        var isDue = slot.Watermark > _watermark.Watermark
            && (end - _watermark.Watermark >= _options.UnsyncedBytesMax
                || _time.GetElapsedTime(_watermarkTime) >= _options.WatermarkDelayMax);
        if (isDue)
        {
            WriteSlot(Active, slot);
        }

        Active.File.Sync();
        Volatile.Write(ref _durableEnd, end.Value);
        if (isDue)
        {
            NoteWatermark(slot);
        }
    }

    /// <summary>See <see cref="CommitLog.SyncWatermark"/>.</summary>
    public void SyncWatermark()
    {
        Sync();
        if (_watermark.Watermark < DurableEnd)
        {
            MakeWatermark(Active, DurableEnd);
        }
    }

    /// <summary>See <see cref="CommitLog.TruncateTo"/>.</summary>
    public void TruncateTo(LogPosition end)
    {
        Sync();

        // In steps, so that a crash inside one never leaves old frames further behind the watermark than an interrupted
        // write could; recovery would have to call them damage.
        while (_tail.End - end > _options.UnsyncedBytesMax)
        {
            CutStep(FindBoundaryNear(_tail.End + -_options.UnsyncedBytesMax));
        }

        if (end < _tail.End)
        {
            CutStep(end);
        }
    }

    /// <summary>
    /// Makes the base of the segment that holds a position the log's start, durably; the segments before it expire.
    /// </summary>
    public void AdvanceStart(LogPosition to)
    {
        // Behind a roll the new segment's header page may not be durable yet, and nothing before it would remain.
        Sync();
        var segments = _readable.Segments;
        var index = Segment.FindIndex(segments, to);
        if (index <= 0)
        {
            return;
        }

        if (!TryWriteStart(segments[index].Header.BaseTail))
        {
            return;
        }

        Epochs.AdvanceStart(segments[index].Base);
        _readable.Publish(segments[index..]);
        foreach (var expired in segments[..index])
        {
            _retirement.Add(expired);
        }

        Rolled?.Invoke();
    }

    /// <summary>A full disk must not keep its space from being given back, and is no reason to stop.</summary>
    private bool TryWriteStart(in ChainTail start)
    {
        for (var isRetry = false; ; isRetry = true)
        {
            try
            {
                _startFile.Write(start);
                return true;
            }
            catch (StorageFaultException fault) when (SpaceReserve.IsNoSpace(fault) && !fault.IsOfSync)
            {
                if (isRetry || !_reserve.TryFree())
                {
                    return false;
                }
            }
        }
    }

    /// <summary>See <see cref="CommitLog.Reset"/>.</summary>
    public void Reset(in ChainTail start, IReadOnlyList<LogConfiguration> configurations)
    {
        var replaced = _readable.Segments;
        var (segment, watermark, sequence) = new LogReset(_disk, _directory, _options, _identity).Run(start);
        _startFile = new LogStartFile(_disk, _directory, _identity, sequence);
        _tail = start;
        _headerPagePending = false;
        Epochs = new EpochTable(start.End, start.Term);
        Configurations = new LogConfigurations(configurations);
        Volatile.Write(ref _durableEnd, start.End.Value);
        NoteWatermark(watermark);
        _readable.Replace([segment], start);
        foreach (var old in replaced)
        {
            old.Release();
        }

        Rolled?.Invoke();
    }

    private FrameHeader CheckFrame(ReadOnlySpan<byte> frame)
    {
        var isHeader = FrameHeader.TryParse(frame, _seed, _options.FrameBytesMax, out var header, out var fault);
        Invariant.Check(isHeader, $"a frame to append is valid: {fault}");
        Invariant.Check(header.FrameLength == frame.Length, $"frame of {header.FrameLength} bytes in {frame.Length}");
        fault = header.FindChainFault(_tail) ?? LogRecovery.FindEpochFault(Epochs, header);
        Invariant.Check(fault is null, $"a frame to append continues the log: {fault}");
        return header;
    }

    private bool MustRollBefore(int frameLength)
    {
        var active = Active;
        var used = _tail.End - active.Base;
        if (used + frameLength > _options.SegmentBytes)
        {
            return true;
        }

        // A file whose blocks were only reserved makes every sync slower. It is left as soon as a better one is ready.
        return used > 0 && !active.Header.ZeroFilled && _options.ZeroFillSpares && _spares.HasZeroFilled;
    }

    private void WriteGathered()
    {
        if (_gathered.Count == 0)
        {
            return;
        }

        var active = Active;
        var from = _readable.End;
        if (_headerPagePending)
        {
            Invariant.Check(from == active.Base, $"the header page goes with the first frame, not with {from}");
            _gathered.Insert(0, _headerPage);
        }

        // Zeros up to the page's end spare the kernel from reading a page that is not cached in order to change a part
        // of it.
        var end = active.FileOffset(_tail.End);
        var padding = (int)(-end & (DiskPage.Bytes - 1));
        if (padding > 0 && end + padding <= CommitLogOptions.SegmentHeaderBytes + _options.SegmentBytes)
        {
            _gathered.Add(Zeros.AsMemory(0, padding));
        }

        var offset = _headerPagePending ? 0 : active.FileOffset(from);
        var isUncached = _tail.End - from >= _options.UncachedBytesMin;
        try
        {
            WriteGathered(active.File, offset, isUncached);
        }
        catch (StorageFaultException fault) when (CanRetry(fault))
        {
            WriteGathered(active.File, offset, isUncached);
        }

        _gathered.Clear();
        _headerPagePending = false;
        _readable.Publish(_tail);
    }

    private void WriteGathered(IDiskFile file, long offset, bool isUncached)
    {
        if (isUncached)
        {
            file.WriteUncached(offset, _gathered);
        }
        else
        {
            file.Write(offset, _gathered);
        }
    }

    /// <summary>
    /// A write that finds no space although its blocks were reserved is made once more, in the same place, when the
    /// reserve could be freed; no sync comes in between, so nothing is taken for durable that is not.
    /// </summary>
    private bool CanRetry(StorageFaultException fault) => SpaceReserve.IsNoSpace(fault) && _reserve.TryFree();

    /// <summary>
    /// Seals the active segment and goes on in a spare, whose header page is written with its first frame. False, with
    /// nothing changed, when there is no spare and no space for one.
    /// </summary>
    private bool TryRoll()
    {
        Sync();
        var sealedSegment = Active;
        if ((_spares.Take() ?? TryCreateSpare()) is not { } spare)
        {
            Rolled?.Invoke();
            return false;
        }

        var header = SegmentHeader.After(_tail, _identity, spare.ZeroFilled, spare.UseCounter + 1);
        var slot = new WatermarkSlot(_watermark.Sequence + 1, _tail.End);
        header.Write(_headerPage);
        slot.Write(_headerPage.AsSpan(slot.FileOffset), _seed);
        _headerPagePending = true;
        NoteWatermark(slot);
        _readable.Publish([.. _readable.Segments, new Segment(spare.File, spare.Path, header)]);
        RollCount++;

        sealedSegment.File.EndUncached();
        var used = sealedSegment.FileOffset(_tail.End);
        if (sealedSegment.File.Length - used > UnusedBytesKept)
        {
            sealedSegment.File.SetLength(used);
        }

        Rolled?.Invoke();
        return true;
    }

    private SpareSegment? TryCreateSpare()
    {
        // The preparer was too slow or is off. Blocks reserved but not written: slower syncs, yet no wait for a
        // gibibyte of zeros. The name must be durable before the first frame in the file is.
        var path = $"{_directory}/unprepared-{_spares.NextNumber()}";
        IDiskFile? file = null;
        try
        {
            file = _disk.Open(path, DiskOpenMode.CreateNew);
            file.Allocate(CommitLogOptions.SegmentHeaderBytes + _options.SegmentBytes);
            file.Sync();
            _disk.SyncDirectory(_directory);
            _reserve.IsLow = false;
            return new SpareSegment(file, path, ZeroFilled: false);
        }
        catch (StorageFaultException fault) when (SpaceReserve.IsNoSpace(fault) && !fault.IsOfSync)
        {
            _reserve.IsLow = true;
            if (file is not null)
            {
                file.Dispose();
                _disk.Delete(path);
            }

            return null;
        }
    }

    private void CutStep(LogPosition end)
    {
        var newTail = _readable.ReadTail(end);
        var oldEnd = _tail.End;
        var segments = _readable.Segments;
        var index = Segment.FindIndex(segments, end);
        var keep = segments[index];
        var oldEndInKept = index + 1 < segments.Length ? segments[index + 1].Base : oldEnd;

        _readable.Publish(newTail);
        Volatile.Write(ref _durableEnd, end.Value);
        _tail = newTail;
        Epochs.TruncateTo(end);
        Configurations.TruncateTo(end);
        if (_watermark.Watermark > end)
        {
            MakeWatermark(keep, end);
        }

        for (var i = segments.Length - 1; i > index; i--)
        {
            // The header page dies durably before the file goes: a crash must not bring the segment back.
            _readable.Publish(segments[..i]);
            SegmentRetirement.Delete(_disk, _names, segments[i]);
        }

        if (index + 1 < segments.Length)
        {
            _disk.SyncDirectory(_directory);
        }

        keep.File.ZeroFill(keep.FileOffset(end), oldEndInKept - end);
        keep.File.Sync();
    }

    /// <summary>The lowest frame boundary at or above a position, found by walking back from the end.</summary>
    private LogPosition FindBoundaryNear(LogPosition target)
    {
        var boundary = _tail.End;
        var length = _tail.FrameLength;
        while (boundary + -length >= target)
        {
            boundary += -length;
            if (!_readable.TryReadHeader(boundary, out var header))
            {
                throw new DamagedFileException(_directory, $"the frame at {boundary} cannot be read");
            }

            length = header.PreviousFrameLength;
        }

        return boundary;
    }

    private void MakeWatermark(Segment segment, LogPosition position)
    {
        var slot = new WatermarkSlot(_watermark.Sequence + 1, position);
        WriteSlot(segment, slot);
        segment.File.Sync();
        NoteWatermark(slot);
    }

    private void WriteSlot(Segment segment, in WatermarkSlot slot)
    {
        slot.Write(_slotBytes, _seed);
        try
        {
            segment.File.Write(slot.FileOffset, _slotBytes);
        }
        catch (StorageFaultException fault) when (CanRetry(fault))
        {
            segment.File.Write(slot.FileOffset, _slotBytes);
        }
    }

    private void NoteWatermark(in WatermarkSlot slot)
    {
        _watermark = slot;
        _watermarkTime = _time.GetTimestamp();
    }
}
