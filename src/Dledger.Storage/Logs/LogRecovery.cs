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
/// before was synced before a roll) and the log checkpoint. Until the end is known, nothing on disk is changed. Header
/// pages that are damaged while the frames around them are sound are written again; other damage is listed in ranges
/// that a peer can fill.
/// </remarks>
internal sealed class LogRecovery(
    IDisk disk,
    string directory,
    CommitLogOptions options,
    LogIdentity identity,
    TimeProvider time,
    bool verifyAll = false)
{
    private const int BlockBytes = 1 << 20;
    private const int ClearedBehindEndBytes = 64 << 10;

    private LogSurvey _survey = null!;
    private EpochTable _epochs = null!;
    private LogConfigurations _configurations = new([]);
    private ChainTail _tail;
    private LogPosition _floor;
    private LogPosition _rewriteFrom;
    private LogPosition _commitHint;
    private LogPosition _scanStart;
    private long _startSequence;
    private readonly List<DamagedRange> _ranges = [];

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
            return createIfEmpty && _survey.StartRecord is null
                ? Create()
                : Refuse(new LogDamage(
                    LogPosition.Zero,
                    $"'{directory}' holds no segment, but the node took part in a term before",
                    IsOwnLoss: true));
        }

        var isSound = TryScan(out var tornTail);
        return isSound ? Finish(tornTail) : Refuse(
            new LogDamage(_ranges[0].From, _ranges[0].Reason, IsOwnLoss: true));
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
    internal static (LogPosition Base, LogDamage Damage)? FindImpossibleFrame(
        Segment last, LogPosition end, LogPosition floor, long unverifiedBytesMax, ClusterSeed seed, int frameBytesMax)
    {
        var from = LogPosition.Max(end, floor + unverifiedBytesMax);
        var rest = last.File.Length - last.FileOffset(from);
        if (rest < FrameHeader.Size)
        {
            return null;
        }

        var block = GC.AllocateUninitializedArray<byte>((int)Math.Min(BlockBytes, rest));
        for (var at = from; at < end + (2 * unverifiedBytesMax); at += BlockBytes - FrameHeader.Size)
        {
            var length = last.File.Read(last.FileOffset(at), block);
            for (var i = 0; i + FrameHeader.Size <= length; i += 8)
            {
                if (FrameHeader.TryParse(block.AsSpan(i, FrameHeader.Size), seed, frameBytesMax, out var header, out _)
                    && header.Base == at + i)
                {
                    return (header.Base, new LogDamage(
                        end,
                        $"no valid frame at {end}, but one at {header.Base}, further behind the watermark {floor} than "
                        + "any write that was not synced"));
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
        var slot = new WatermarkSlot((_survey.Watermark?.Sequence ?? 0) + 1, tail.End);
        var segment = LogReset.CreateSegment(disk, directory, options, identity, tail, slot);

        _tail = tail;
        _epochs = new EpochTable(tail.End, tail.Term);
        _survey.Segments.Add(segment);
        return Publish(slot, tornTail: false) with { Created = true, Watermark = tail.End };
    }

    private bool TryScan(out bool tornTail)
    {
        tornTail = false;
        _floor = FindFloor(_survey);
        if (!TryFindStart(out var start))
        {
            return false;
        }

        _epochs = new EpochTable(start.End, start.Term);
        var begin = start.End;
        _configurations = new LogConfigurations(
            [.. (_survey.Checkpoint?.Configurations ?? []).Where(entry => entry.Position < begin)]);
        if (_survey.Checkpoint is { } checkpoint
            && !verifyAll
            && !_survey.NeedsFullScan
            && checkpoint.Tail.End >= start.End
            && checkpoint.LogStart <= start.End)
        {
            _epochs = new EpochTable(checkpoint.Epochs);
            _epochs.AdvanceStart(start.End);
            start = checkpoint.Tail;
            _configurations = new LogConfigurations(checkpoint.Configurations);
        }

        _scanStart = _rewriteFrom = _commitHint = start.End;
        var scanner = new FrameScanner([.. _survey.Segments], start, identity, options.FrameBytesMax);
        while (ScanFrames(scanner, out var fault) && SkipDamage(scanner, fault))
        {
            // Behind the damage, or in a segment whose header was lost.
        }

        // A recycled file holds old bytes behind the end, which say nothing.
        tornTail = !scanner.EndsInZeros && _survey.Segments[^1].Header.UseCounter <= 1;
        return _ranges.Count == 0;
    }

    private bool TryFindStart(out ChainTail start)
    {
        start = _survey.StartTail;
        var begin = start.End;
        if (_survey.FindMissingStart() is not null
            && _survey.Orphans.Find(orphan => orphan.Base == begin) is { Name: { } orphan })
        {
            _survey.Adopt(orphan, start, DiskOpenMode.ReadWrite);
        }

        var first = _survey.Segments[0];
        if (_survey.FindMissingStart() is { } missing)
        {
            _ranges.Add(new DamagedRange
            {
                From = start.End,
                To = first.Base,
                Minimum = _floor,
                Before = start,
                After = new FrameLink(first.Header.BaseHeaderCrc, first.Header.BaseFrameLength),
                Reason = missing.Reason,
            });
        }

        if (first.Base != start.End || (!first.IsHeaderDamaged && first.Header.BaseTail != start))
        {
            // The record may be an older one than the segment; a log that begins at zero begins with the seed.
            if (first.Base == LogPosition.Zero || first.IsHeaderDamaged)
            {
                AddHopeless(first.Base, $"segment '{first.Path}' does not begin with the cluster's seed");
                return false;
            }

            start = first.Header.BaseTail;
        }
        else if (first.IsHeaderDamaged)
        {
            first.RebuildHeader(start, identity);
        }

        return true;
    }

    /// <summary>False when a frame breaks the terms: then no bytes of a peer help.</summary>
    private bool ScanFrames(FrameScanner scanner, out string? fault)
    {
        while (scanner.TryNext(out var frame, out fault))
        {
            // Behind a damaged range the terms are not known.
            if (_ranges.Count == 0 && FindEpochFault(_epochs, frame.Header) is { } epochFault)
            {
                AddHopeless(frame.Header.Base, epochFault);
                return false;
            }

            _configurations.Note(frame.Header, frame.Payload);
            _commitHint = LogPosition.Max(_commitHint, frame.Header.CommitHint);
            if (scanner.Tail.End <= _floor)
            {
                _rewriteFrom = scanner.Tail.End;
            }
        }

        if (_ranges.Count == 0)
        {
            _tail = scanner.Tail;
        }

        return true;
    }

    /// <summary>At an invalid frame: notes the damage and goes on behind it; false at the end of the log.</summary>
    private bool SkipDamage(FrameScanner scanner, string? fault)
    {
        var before = scanner.Tail;
        if (scanner.SegmentsDisagree)
        {
            AddHopeless(before.End, $"below the durable position {_floor}: {fault}");
            return false;
        }

        var reason = $"below the durable position {_floor}: {fault}";
        if (before.End >= _floor)
        {
            if (FindImpossibleFrame(
                _survey.Segments[^1],
                before.End,
                _floor,
                options.UnverifiedBytesMax,
                identity.Seed,
                options.FrameBytesMax) is not { } impossible)
            {
                return false;
            }

            _floor = impossible.Base;
            reason = impossible.Damage.Reason;
        }

        var orphan = _survey.Orphans.Find(orphan => orphan.Base == before.End);
        if (orphan.Name is not null && _survey.Segments[^1].Base < before.End)
        {
            scanner.Add(_survey.Adopt(orphan.Name, before, DiskOpenMode.ReadWrite));
            return true;
        }

        var damaged = scanner.Segment!;
        var hasMore = scanner.TryResync(out var link);
        _ranges.Add(new DamagedRange
        {
            From = before.End,
            To = hasMore ? scanner.Tail.End : null,
            Minimum = _floor,
            Before = before,
            After = hasMore ? link : null,
            Reason = reason,
            File = (damaged.Path, damaged.Base),
        });
        return hasMore;
    }

    private void AddHopeless(LogPosition at, string reason) =>
        _ranges.Add(new DamagedRange { From = at, Minimum = _floor, Reason = reason });

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
        RebuildHeaders();
        DeleteLeftovers();
        var active = _survey.Segments[^1];
        Reserve(active.File);
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
        FinishRetirement();
        return Publish(slot, tornTail);
    }

    private void Reserve(IDiskFile file)
    {
        try
        {
            file.Allocate(CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes);
        }
        catch (StorageFaultException fault) when (SpaceReserve.IsNoSpace(fault))
        {
            // A full disk is no reason not to start: what is there can be read, and retention may free space.
        }
    }

    private void RebuildHeaders()
    {
        foreach (var segment in _survey.Segments.Where(segment => segment.IsHeaderDamaged))
        {
            segment.WriteHeader();
        }
    }

    private void FinishRetirement()
    {
        if (_survey.StartRecord is not { } record)
        {
            return;
        }

        // It may have been read from the page cache: durable again before a segment goes on its word.
        new LogStartFile(disk, directory, identity, record.Sequence).Write(record.Start);
        _startSequence = record.Sequence + 1;
        foreach (var segment in _survey.Expired)
        {
            SegmentRetirement.Delete(disk, new Lock(), segment);
        }

        _survey.Expired.Clear();
    }

    private CommitLogRecovery Publish(WatermarkSlot slot, bool tornTail)
    {
        var spares = new SparePool();
        foreach (var (name, useCounter) in _survey.Spares)
        {
            var path = $"{directory}/{name}";
            var file = disk.Open(path, DiskOpenMode.ReadWrite);
            if (file.Length == CommitLogOptions.SegmentHeaderBytes + options.SegmentBytes)
            {
                spares.Add(new SpareSegment(file, path, ZeroFilled: true, useCounter));
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
                _configurations,
                _tail,
                slot,
                _survey.Checkpoint?.Sequence ?? 0,
                LogPosition.Max(_survey.Checkpoint?.Tail.End ?? LogPosition.Zero, _survey.Segments[0].Base),
                _startSequence));
        return new CommitLogRecovery
        {
            Log = log,
            Epochs = _epochs,
            Configurations = _configurations.ToList(),
            Tail = _tail,
            CommitHint = LogPosition.Min(_commitHint, _tail.End),
            Watermark = _survey.Watermark?.Watermark ?? LogPosition.Zero,
            TornTail = tornTail,
            VerifiedBytes = _tail.End - _scanStart,
            RebuiltHeaders =
            [
                .. _survey.Segments.Where(segment => segment.IsHeaderDamaged).Select(segment => segment.Base),
            ],
        };
    }

    private CommitLogRecovery Refuse(LogDamage damage)
    {
        _survey.CloseSegments();
        return new CommitLogRecovery
        {
            Damage = damage,
            DamagedRanges = _ranges,
            Repair = _ranges.Count > 0 && _ranges.TrueForAll(range => range.Before is not null)
                ? new LogRepair(disk, directory, options, identity, _ranges)
                : null,
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
