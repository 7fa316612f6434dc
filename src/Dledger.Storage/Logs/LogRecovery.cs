using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// Opens a log directory: finds the end, tells an interrupted write from damage, makes the tail durable again.
/// </summary>
/// <remarks>
/// An invalid frame below the floor is damage, because everything below was durable; at or above it is an interrupted
/// write and the log ends there. The floor is the highest of: the watermark, the base of the last segment (the one
/// before was synced before a roll) and the log checkpoint. Until the end is known, nothing on disk is changed.
/// </remarks>
internal sealed class LogRecovery(
    IDisk disk, string directory, CommitLogOptions options, LogIdentity identity, TimeProvider time)
{
    private const int BlockBytes = 1 << 20;
    private const int ClearedBehindEndBytes = 64 << 10;

    private LogSurvey _survey = null!;
    private EpochTable _epochs = null!;
    private ChainTail _tail;
    private LogPosition _floor;
    private LogPosition _rewriteFrom;
    private LogPosition _commitHint;
    private LogPosition _scanStart;

    /// <summary>See <see cref="CommitLog.Open"/>.</summary>
    public CommitLogRecovery Run(bool createIfEmpty)
    {
        _survey = LogSurvey.Read(disk, directory, identity, DiskOpenMode.ReadWrite);
        if (_survey.Damage is { } damage)
        {
            return Refuse(damage);
        }

        if (_survey.Segments.Count == 0)
        {
            return createIfEmpty
                ? Create()
                : Refuse(new LogDamage(
                    LogPosition.Zero, $"'{directory}' holds no segment, but the node took part in a term before"));
        }

        var found = Scan(out var tornTail);
        return found is null ? Finish(tornTail) : Refuse(found);
    }

    /// <summary>The position below which an invalid frame is damage.</summary>
    internal static LogPosition FindFloor(LogSurvey survey)
    {
        var floor = survey.Watermark?.Watermark ?? LogPosition.Zero;
        floor = LogPosition.Max(floor, survey.Segments[^1].Base);
        return LogPosition.Max(floor, survey.Checkpoint?.Tail.End ?? LogPosition.Zero);
    }

    /// <summary>
    /// Looks for a frame that no interrupted write explains: at most <paramref name="unverifiedBytesMax"/> lie between
    /// the watermark and the end, so one behind that means that the watermark itself is rotten. Null when there is
    /// none.
    /// </summary>
    internal static LogDamage? FindImpossibleFrame(
        Segment last, LogPosition end, LogPosition floor, long unverifiedBytesMax, ClusterSeed seed, int frameBytesMax)
    {
        var from = LogPosition.Max(end, floor + unverifiedBytesMax);
        var block = new byte[BlockBytes];
        for (var at = from; at < end + (2 * unverifiedBytesMax); at += BlockBytes - FrameHeader.Size)
        {
            var length = last.File.Read(last.FileOffset(at), block);
            for (var i = 0; i + FrameHeader.Size <= length; i += 8)
            {
                if (FrameHeader.TryParse(block.AsSpan(i, FrameHeader.Size), seed, frameBytesMax, out var header, out _)
                    && header.Base == at + i)
                {
                    return new LogDamage(
                        end,
                        $"no valid frame at {end}, but one at {header.Base}, further behind the watermark {floor} than "
                        + "any write that was not synced");
                }
            }

            if (length < block.Length)
            {
                break;
            }
        }

        return null;
    }

    /// <summary>The name that a segment's file gets for people.</summary>
    internal static string SegmentName(LogPosition segmentBase) =>
        segmentBase.Value.ToString("D20", CultureInfo.InvariantCulture);

    private CommitLogRecovery Create()
    {
        DeleteLeftovers();
        disk.CreateDirectory(directory);
        var tail = ChainTail.Genesis(identity.Seed);
        var path = $"{directory}/{SegmentName(tail.End)}";
        var file = disk.Open(path, DiskOpenMode.CreateNew);
        file.Allocate(CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes);
        var header = SegmentHeader.After(tail, identity, zeroFilled: false);
        var slot = new WatermarkSlot((_survey.Watermark?.Sequence ?? 0) + 1, tail.End);
        var page = new byte[CommitLogOptions.SegmentHeaderBytes];
        header.Write(page);
        slot.Write(page.AsSpan(slot.FileOffset), identity.Seed);
        file.Write(0, page);
        file.Sync();
        disk.SyncDirectory(directory);
        disk.SyncDirectory(DiskPaths.ParentOf(directory));

        _tail = tail;
        _epochs = new EpochTable(tail.End, tail.Term);
        _survey.Segments.Add(new Segment(file, path, header));
        return Publish(slot, tornTail: false) with { Created = true, Watermark = tail.End };
    }

    private LogDamage? Scan(out bool tornTail)
    {
        tornTail = false;
        var segments = _survey.Segments.ToArray();
        var start = segments[0].Header.BaseTail;
        if (start.End == LogPosition.Zero && start != ChainTail.Genesis(identity.Seed))
        {
            return new LogDamage(start.End, $"segment '{segments[0].Path}' does not begin with the cluster's seed");
        }

        _floor = FindFloor(_survey);
        _epochs = new EpochTable(start.End, start.Term);
        if (_survey.Checkpoint is { } checkpoint && checkpoint.Tail.End >= start.End)
        {
            start = checkpoint.Tail;
            _epochs = new EpochTable(checkpoint.Epochs);
        }

        _scanStart = _rewriteFrom = _commitHint = start.End;
        var scanner = new FrameScanner(segments, start, identity.Seed, options.FrameBytesMax);
        string? fault;
        while (scanner.TryNext(out var frame, out fault))
        {
            fault = FindEpochFault(_epochs, frame.Header);
            if (fault is not null)
            {
                return new LogDamage(frame.Header.Base, fault);
            }

            _commitHint = LogPosition.Max(_commitHint, frame.Header.CommitHint);
            if (scanner.Tail.End <= _floor)
            {
                _rewriteFrom = scanner.Tail.End;
            }
        }

        _tail = scanner.Tail;
        if (_tail.End < _floor || scanner.SegmentsDisagree)
        {
            return new LogDamage(_tail.End, $"below the durable position {_floor}: {fault}");
        }

        tornTail = !scanner.EndsInZeros;
        return FindImpossibleFrame(
            segments[^1], _tail.End, _floor, options.UnverifiedBytesMax, identity.Seed, options.FrameBytesMax);
    }

    /// <summary>Keeps the epoch table in step with a frame; the fault when the frame breaks it.</summary>
    internal static string? FindEpochFault(EpochTable epochs, in FrameHeader header)
    {
        var starts = (header.Flags & FrameFlags.TermStart) != 0;
        if (header.Term > epochs.Last.Term != starts)
        {
            return $"frame at {header.Base} of term {header.Term} after term {epochs.Last.Term} has flags "
                + $"{header.Flags}";
        }

        if (starts)
        {
            epochs.Append(new Epoch(header.Term, header.Base));
        }

        return null;
    }

    /// <summary>
    /// Writes the bytes above the floor once more and syncs them: the page cache may hold what never reached the disk,
    /// and after a failed write-back even marked as clean. Only bytes dirtied and synced in this process life count as
    /// durable.
    /// </summary>
    private CommitLogRecovery Finish(bool tornTail)
    {
        DeleteLeftovers();
        var active = _survey.Segments[^1];
        active.File.Allocate(CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes);
        Rewrite(active.File, 0, CommitLogOptions.SegmentHeaderBytes);
        Rewrite(active.File, active.FileOffset(_rewriteFrom), active.FileOffset(_tail.End));
        var end = active.FileOffset(_tail.End);
        active.File.ZeroFill(end, Math.Min(ClearedBehindEndBytes, active.File.Length - end));
        active.File.Sync();

        var found = _survey.Watermark;
        var slot = new WatermarkSlot((found?.Sequence ?? 0) + 1, _tail.End);
        var bytes = new byte[WatermarkSlot.Bytes];
        slot.Write(bytes, identity.Seed);
        active.File.Write(slot.FileOffset, bytes);
        active.File.Sync();

        // The process that created the directory may have died before it synced the names.
        disk.SyncDirectory(directory);
        disk.SyncDirectory(DiskPaths.ParentOf(directory));
        return Publish(slot, tornTail);
    }

    private CommitLogRecovery Publish(WatermarkSlot slot, bool tornTail)
    {
        var spares = new SparePool();
        foreach (var name in _survey.Spares)
        {
            var path = $"{directory}/{name}";
            var file = disk.Open(path, DiskOpenMode.ReadWrite);
            if (file.Length == CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes)
            {
                spares.Add(new SpareSegment(file, path, ZeroFilled: true));
            }
            else
            {
                file.Dispose();
                disk.Delete(path);
            }

            spares.ReserveName(name);
        }

        foreach (var segment in _survey.Segments)
        {
            spares.ReserveName(segment.Path);
        }

        var log = new CommitLog(
            disk,
            directory,
            options,
            identity,
            time,
            new CommitLogState(
                [.. _survey.Segments],
                spares,
                new EpochTable(_epochs.Epochs),
                _tail,
                slot,
                _survey.Checkpoint?.Sequence ?? 0,
                _survey.Checkpoint?.Tail.End ?? _survey.Segments[0].Base));
        return new CommitLogRecovery
        {
            Log = log,
            Epochs = _epochs,
            Tail = _tail,
            CommitHint = LogPosition.Min(_commitHint, _tail.End),
            Watermark = _survey.Watermark?.Watermark ?? LogPosition.Zero,
            TornTail = tornTail,
            VerifiedBytes = _tail.End - _scanStart,
        };
    }

    private CommitLogRecovery Refuse(LogDamage damage)
    {
        _survey.CloseSegments();
        return new CommitLogRecovery
        {
            Damage = damage,
            Epochs = _epochs ?? new EpochTable(LogPosition.Zero, Term.Zero),
            Tail = _epochs is null ? ChainTail.Genesis(identity.Seed) : _tail,
            CommitHint = _commitHint,
            Watermark = _survey.Watermark?.Watermark ?? LogPosition.Zero,
        };
    }

    private void DeleteLeftovers()
    {
        foreach (var name in _survey.Leftovers)
        {
            disk.Delete($"{directory}/{name}");
        }
    }

    private static void Rewrite(IDiskFile file, long from, long to)
    {
        var block = new byte[Math.Min(BlockBytes, to - from)];
        while (from < to)
        {
            var piece = block.AsSpan(0, (int)Math.Min(block.Length, to - from));
            var read = file.Read(from, piece);
            Invariant.Check(read == piece.Length, $"bytes {from}..{to} of '{file.Path}' were read before");
            file.Write(from, piece);
            from += piece.Length;
        }
    }
}
