using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// What lies in a log directory, from header pages alone: segments in order, spares, watermark, checkpoint.
/// </summary>
internal sealed class LogSurvey
{
    /// <summary>Prefix of files that are ready for a roll.</summary>
    public const string SparePrefix = "spare-";

    /// <summary>Prefix of files that are being prepared.</summary>
    public const string FillingPrefix = "filling-";

    /// <summary>Names of the two log checkpoints.</summary>
    public static readonly string[] CheckpointNames = ["checkpoint.a", "checkpoint.b"];

    /// <summary>Names of files that are no segments.</summary>
    private static readonly string[] OtherNames = [LogStartFile.Name, LogScrubber.PlaceName, SpaceReserve.Name];

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly LogIdentity _identity;
    private readonly byte[] _page = new byte[CommitLogOptions.SegmentHeaderBytes + FrameHeader.Size];

    private LogSurvey(IDisk disk, string directory, LogIdentity identity)
    {
        _disk = disk;
        _directory = directory;
        _identity = identity;
    }

    /// <summary>Segments in use, by base.</summary>
    public List<Segment> Segments { get; } = [];

    /// <summary>Segments below the log's start: their retirement was interrupted.</summary>
    public List<Segment> Expired { get; } = [];

    /// <summary>Names of the spares, and how often each was used as a segment.</summary>
    public List<(string Name, long UseCounter)> Spares { get; } = [];

    /// <summary>Names of files that hold nothing and were left over by an interrupted step.</summary>
    public List<string> Leftovers { get; } = [];

    /// <summary>The watermark slot with the highest sequence of all files.</summary>
    public WatermarkSlot? Watermark { get; private set; }

    /// <summary>Where the log begins; null for a log that never gave anything up.</summary>
    public LogStartRecord? StartRecord { get; private set; }

    /// <summary>The first position that must be there.</summary>
    public LogPosition Start => StartRecord?.Start.End ?? LogPosition.Zero;

    /// <summary>The newest valid log checkpoint.</summary>
    public LogCheckpoint? Checkpoint { get; private set; }

    /// <summary>
    /// Files without a segment's magic whose first frame is one of this log: if that frame was durable, the header was
    /// lost.
    /// </summary>
    public List<(LogPosition Base, string Name)> Orphans { get; } = [];

    /// <summary>Set when a file is not what it must be and nothing in the directory can mend it.</summary>
    public LogDamage? Damage { get; private set; }

    /// <summary>The first damaged header page whose segment could be told by its first frame or its name.</summary>
    public LogDamage? HeaderDamage { get; private set; }

    /// <summary>Whether only a scan from the log's start can tell that the segments are whole.</summary>
    public bool NeedsFullScan { get; private set; }

    /// <summary>Reads every header page. Changes nothing; the caller owns the opened segments.</summary>
    public static LogSurvey Read(IDisk disk, string directory, LogIdentity identity, DiskOpenMode mode)
    {
        var survey = new LogSurvey(disk, directory, identity);
        var names = disk.List(directory);
        survey.StartRecord = names.Contains(LogStartFile.Name) ? LogStartFile.Read(disk, directory, identity) : null;
        foreach (var name in names)
        {
            if (CheckpointNames.Contains(name))
            {
                survey.ReadCheckpoint(name);
            }
            else if (OtherNames.Contains(name))
            {
                continue;
            }
            else if (name == LogStartFile.DraftName)
            {
                survey.Leftovers.Add(name);
            }
            else
            {
                survey.ReadHeaderPage(name, mode);
            }
        }

        survey.Segments.Sort((left, right) => left.Base.CompareTo(right.Base));
        survey.SetExpiredAside();
        survey.CheckOrder();
        return survey;
    }

    /// <summary>Set when the first segment begins behind the log's start.</summary>
    public LogDamage? FindMissingStart() => Segments.Count > 0 && Segments[0].Base > Start
        ? new LogDamage(
            Start, $"the log begins at {Start}, but its first segment '{Segments[0].Path}' at {Segments[0].Base}")
        : null;

    /// <summary>The chain that the log's first frame continues.</summary>
    public ChainTail StartTail => StartRecord?.Start ?? ChainTail.Genesis(_identity.Seed);

    /// <summary>Opens a file without a magic as the segment that it was; it is in order among the others.</summary>
    public Segment Adopt(string name, in ChainTail tail, DiskOpenMode mode)
    {
        var path = $"{_directory}/{name}";
        var segment = new Segment(_disk.Open(path, mode), path, SegmentHeader.After(tail, _identity, zeroFilled: false))
        {
            IsHeaderDamaged = true,
        };
        Segments.Add(segment);
        Segments.Sort((left, right) => left.Base.CompareTo(right.Base));
        Spares.RemoveAll(spare => spare.Name == name);
        Leftovers.Remove(name);
        return segment;
    }

    /// <summary>Closes the segments.</summary>
    public void CloseSegments()
    {
        foreach (var segment in Segments.Concat(Expired))
        {
            segment.Release();
        }
    }

    private void ReadCheckpoint(string name)
    {
        using var file = _disk.Open($"{_directory}/{name}", DiskOpenMode.Read);
        if (file.Length > 1 << 25)
        {
            return;
        }

        var bytes = new byte[file.Length];
        var length = file.Read(0, bytes);
        var found = LogCheckpoint.Parse(bytes.AsSpan(0, length), _identity);
        if (found is not null && (Checkpoint is null || found.Sequence > Checkpoint.Sequence))
        {
            Checkpoint = found;
        }
    }

    private void ReadHeaderPage(string name, DiskOpenMode mode)
    {
        var path = $"{_directory}/{name}";
        var file = _disk.Open(path, mode);
        _page.AsSpan().Clear();
        if (ReadPage(file) < CommitLogOptions.SegmentHeaderBytes)
        {
            // Its creation was interrupted before the header page, so no frame was ever synced in it.
            file.Dispose();
            Leftovers.Add(name);
            return;
        }

        var state = SegmentHeader.Parse(_page, out var header, out var fault);
        if (state != SegmentHeaderState.Retired
            && WatermarkSlot.FindNewest(_page, _identity.Seed) is { } slot
            && (Watermark is not { } best || slot.Sequence > best.Sequence))
        {
            // The slot of a roll whose header sector was lost counts as well: it repeats what was durable before.
            Watermark = slot;
        }

        switch (state)
        {
            case SegmentHeaderState.Valid:
                CheckOwner(path, header);
                Segments.Add(new Segment(file, path, header));
                break;
            case SegmentHeaderState.Damaged:
                AddDamaged(file, name, fault!);
                break;
            case SegmentHeaderState.UnknownVersion:
                file.Dispose();
                Damage ??= new LogDamage(PositionIn(name) ?? LogPosition.Zero, $"segment '{path}': {fault}");
                break;
            default:
                file.Dispose();
                AddUnused(name, state);
                break;
        }
    }

    private int ReadPage(IDiskFile file)
    {
        try
        {
            return file.Read(0, _page);
        }
        catch (StorageFaultException fault) when (fault.Errno == StorageFaultException.DeviceError)
        {
            // An unreadable page is a damaged one.
            _page.AsSpan().Fill(0xFF);
            return _page.Length;
        }
    }

    private void CheckOwner(string path, in SegmentHeader header)
    {
        if (header.ClusterId != _identity.ClusterId || header.StorageId != _identity.StorageId)
        {
            Damage ??= new LogDamage(
                header.Base,
                $"segment '{path}': it belongs to cluster {header.ClusterId}, storage {header.StorageId}, expected "
                + $"{_identity.ClusterId}, {_identity.StorageId}");
        }
    }

    private void AddUnused(string name, SegmentHeaderState state)
    {
        if (state == SegmentHeaderState.Spare && TryReadFirstFrame(out var first))
        {
            Orphans.Add((first.Base, name));
        }

        if (state == SegmentHeaderState.Spare && name.StartsWith(SparePrefix, StringComparison.Ordinal))
        {
            Spares.Add((name, SegmentHeader.ReadSpareUseCounter(_page)));
        }
        else
        {
            Leftovers.Add(name);
        }
    }

    /// <summary>The first frame tells the segment's base, else the name.</summary>
    private void AddDamaged(IDiskFile file, string name, string fault)
    {
        var path = $"{_directory}/{name}";
        var hasFrame = TryReadFirstFrame(out var first);
        var isUnused = !_page.AsSpan(CommitLogOptions.SegmentHeaderBytes).ContainsAnyExcept((byte)0)
            && (name.StartsWith(SparePrefix, StringComparison.Ordinal)
                || name.StartsWith(FillingPrefix, StringComparison.Ordinal));
        var @base = hasFrame ? first.Base : PositionIn(name);
        if (isUnused || (hasFrame && first.Base < Start && PositionIn(name) is null))
        {
            // A spare never used, or one that holds frames given up long ago.
            file.Dispose();
            Leftovers.Add(name);
            return;
        }

        if (@base is not { } found)
        {
            file.Dispose();
            Damage ??= new LogDamage(LogPosition.Zero, $"segment '{path}': {fault}");
            return;
        }

        HeaderDamage ??= new LogDamage(found, $"segment '{path}': {fault}");
        NeedsFullScan = true;
        var tail = new ChainTail(found, first.PreviousHeaderCrc, first.PreviousFrameLength, Term.Zero, 0);
        Segments.Add(new Segment(file, path, SegmentHeader.After(tail, _identity, zeroFilled: false))
        {
            IsHeaderDamaged = true,
        });
    }

    private bool TryReadFirstFrame(out FrameHeader first) => FrameHeader.TryParse(
        _page.AsSpan(CommitLogOptions.SegmentHeaderBytes), _identity.Seed, int.MaxValue, out first, out _);

    private static LogPosition? PositionIn(string name) =>
        name.Length == 20 && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? new LogPosition(position)
            : null;

    private void SetExpiredAside()
    {
        while (Segments.Count > 1 && Segments[1].Base <= Start)
        {
            Expired.Add(Segments[0]);
            Segments.RemoveAt(0);
        }
    }

    private void CheckOrder()
    {
        if (Segments.Count == 0)
        {
            return;
        }

        // A last file that was cut off below the checkpoint would go unseen.
        var last = Segments[^1];
        NeedsFullScan |= Segments[0].Base > Start
            || last.FileOffset(Checkpoint?.Tail.End ?? last.Base) > last.File.Length;
        for (var i = 1; i < Segments.Count; i++)
        {
            var before = Segments[i - 1];
            var covered = before.Base + (before.File.Length - CommitLogOptions.SegmentHeaderBytes);
            NeedsFullScan |= covered < Segments[i].Base;
            if (Segments[i].Base == before.Base)
            {
                Damage ??= new LogDamage(
                    before.Base, $"segments '{before.Path}' and '{Segments[i].Path}' both begin at {before.Base}");
            }
        }
    }
}
