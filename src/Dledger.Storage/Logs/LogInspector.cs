using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;

namespace Dledger.Storage.Logs;

/// <summary>
/// Reads a log offline: dumps frames and records, verifies every checksum and the chain. Changes nothing.
/// </summary>
/// <remarks>
/// Takes no lock: on the directory of a running node the end moves while it reads, so its verdict on the last frames is
/// only good for a stopped one. One thread.
/// </remarks>
public sealed class LogInspector : IDisposable
{
    private const string LogDirectoryName = "log";
    private const string MetaFileName = "meta";

    // The largest that options allow: a dump must not depend on the options of the node that wrote the log.
    private const int FrameBytesMax = 64 << 20;

    private readonly LogSurvey _survey;
    private readonly LogIdentity _identity;
    private readonly ClusterSeed _seed;
    private readonly CommitLogOptions _options;
    private readonly Segment[] _segments;
    private readonly bool _mustHaveLog;

    private LogInspector(LogSurvey survey, LogIdentity identity, CommitLogOptions options, bool mustHaveLog)
    {
        _survey = survey;
        _identity = identity;
        _seed = identity.Seed;
        _options = options;
        _segments = [.. survey.Segments];
        _mustHaveLog = mustHaveLog;
    }

    /// <summary>The files in use, by base.</summary>
    public IReadOnlyList<(string Path, LogPosition Base)> Segments =>
        [.. _segments.Select(segment => (segment.Path, segment.Base))];

    /// <summary>
    /// Opens the log below a group's directory (the one that holds 'meta' and 'log'). Throws
    /// <see cref="DamagedFileException"/> when nothing there tells whose log it is.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The group's directory.</param>
    /// <param name="group">The group.</param>
    /// <param name="options">The node's options, when known: they bound how long an interrupted write can be.</param>
    public static LogInspector Open(IDisk disk, string directory, RaftGroupId group, CommitLogOptions? options = null)
    {
        var logDirectory = DiskPaths.Join(directory, LogDirectoryName);
        var metadata = MetaFile.ReadOnly(disk, DiskPaths.Join(directory, MetaFileName));
        var identity = metadata is { Genesis: not null }
            ? new LogIdentity(metadata.ClusterId, metadata.StorageId, group)
            : FindIdentity(disk, logDirectory, group);
        var survey = LogSurvey.Read(disk, logDirectory, identity, DiskOpenMode.Read);
        return new LogInspector(
            survey,
            identity,
            options ?? new CommitLogOptions(),
            mustHaveLog: metadata is not null && metadata.Term > Term.Zero);
    }

    /// <summary>Reads the whole log and stops at the first fault.</summary>
    public LogVerification Verify(CancellationToken cancellationToken)
    {
        if (_segments.Length == 0)
        {
            var lost = _mustHaveLog
                ? new LogDamage(LogPosition.Zero, "no segment, but the node took part in a term")
                : null;
            return Report(ChainTail.Genesis(_seed), 0, 0, tornTail: false, _survey.Damage ?? lost);
        }

        var start = _segments[0].Header.BaseTail;
        var scanner = new FrameScanner(_segments, start, _identity, FrameBytesMax);
        var epochs = new EpochTable(start.End, start.Term);
        var frameCount = 0L;
        var recordCount = 0L;
        string? fault;
        while (scanner.TryNext(out var frame, out fault))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var recordFault = LogRecovery.FindEpochFault(epochs, frame.Header) is { } epochFault
                ? new LogDamage(frame.Header.Base, epochFault)
                : FindRecordFault(frame);
            if (recordFault is not null)
            {
                return Report(scanner.Tail, frameCount, recordCount, tornTail: false, recordFault);
            }

            frameCount++;
            recordCount += frame.Header.RecordCount;
        }

        var damage = _survey.Damage
            ?? _survey.FindMissingStart()
            ?? _survey.HeaderDamage
            ?? FindEndFault(scanner, fault);
        return Report(scanner.Tail, frameCount, recordCount, damage is null && !scanner.EndsInZeros, damage);
    }

    /// <summary>
    /// The frames that begin in [from, to), with their records. Ends at the log's end or at the first invalid frame,
    /// which
    /// <see cref="Verify"/> explains.
    /// </summary>
    public IEnumerable<InspectedFrame> ReadFrames(LogPosition from, LogPosition to)
    {
        if (_segments.Length == 0)
        {
            yield break;
        }

        // A frame is found from the one before, so the scan begins with the segment that holds the first one.
        var index = Math.Max(0, Segment.FindIndex(_segments, from));
        var scanner = new FrameScanner(_segments, _segments[index].Header.BaseTail, _identity, FrameBytesMax);
        while (scanner.Tail.End < to && TryInspectNext(scanner, from, out var frame))
        {
            if (frame is not null)
            {
                yield return frame;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _survey.CloseSegments();

    private static bool TryInspectNext(FrameScanner scanner, LogPosition from, out InspectedFrame? inspected)
    {
        inspected = null;
        if (!scanner.TryNext(out var frame, out _))
        {
            return false;
        }

        if (frame.Header.Base >= from)
        {
            inspected = new InspectedFrame(frame.Header, scanner.Segment!.Path, InspectRecords(frame));
        }

        return true;
    }

    private static List<InspectedRecord> InspectRecords(in FrameView frame)
    {
        var records = new List<InspectedRecord>(frame.Header.RecordCount);
        var cursor = frame.Records;
        while (cursor.TryMoveNext(out _))
        {
            RecordView.TryParseSealed(cursor.Current.Bytes, cursor.CurrentPosition, out _, out var fault);
            records.Add(new InspectedRecord(cursor.CurrentPosition, cursor.Current.Header, fault));
        }

        return records;
    }

    private static LogDamage? FindRecordFault(in FrameView frame)
    {
        var count = 0;
        var at = frame.Header.Base + FrameHeader.Size;
        var cursor = frame.Records;
        string? fault;
        while (cursor.TryMoveNext(out fault))
        {
            count++;
            at = cursor.CurrentPosition;
            if (!RecordView.TryParseSealed(cursor.Current.Bytes, at, out _, out var recordFault))
            {
                return new LogDamage(at, recordFault!);
            }
        }

        if (fault is not null)
        {
            return new LogDamage(at, $"behind this record: {fault}");
        }

        return count == frame.Header.RecordCount
            ? null
            : new LogDamage(frame.Header.Base, $"{count} records, the frame says {frame.Header.RecordCount}");
    }

    private LogDamage? FindEndFault(FrameScanner scanner, string? fault)
    {
        var end = scanner.Tail.End;
        var floor = LogRecovery.FindFloor(_survey);
        if (end < floor || scanner.SegmentsDisagree)
        {
            return new LogDamage(end, $"below the durable position {floor}: {fault}");
        }

        return LogRecovery.FindImpossibleFrame(
            _segments[^1], end, floor, _options.UnverifiedBytesMax, _seed, FrameBytesMax)?.Damage;
    }

    private LogVerification Report(
        in ChainTail tail, long frameCount, long recordCount, bool tornTail, LogDamage? fault) => new()
        {
            Start = _segments.Length == 0 ? LogPosition.Zero : _segments[0].Base,
            End = tail.End,
            Watermark = _survey.Watermark?.Watermark ?? LogPosition.Zero,
            SegmentCount = _segments.Length,
            FrameCount = frameCount,
            RecordCount = recordCount,
            LastTerm = tail.Term,
            TornTail = tornTail,
            Fault = fault,
        };

    /// <summary>Without a usable meta file the first intact segment header tells whose log it is.</summary>
    private static LogIdentity FindIdentity(IDisk disk, string logDirectory, RaftGroupId group)
    {
        var sector = new byte[SegmentHeader.SectorBytes];
        foreach (var name in disk.List(logDirectory))
        {
            using var file = disk.Open(DiskPaths.Join(logDirectory, name), DiskOpenMode.Read);
            if (file.Read(0, sector) == sector.Length
                && SegmentHeader.Parse(sector, out var header, out _) == SegmentHeaderState.Valid)
            {
                return new LogIdentity(header.ClusterId, header.StorageId, group);
            }
        }

        throw new DamagedFileException(logDirectory, "neither a meta file nor a segment tells whose log it is");
    }
}
