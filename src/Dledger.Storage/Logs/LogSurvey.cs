using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>
/// What lies in a log directory, from header pages alone: segments in order, spares, watermark, checkpoint.
/// </summary>
internal sealed class LogSurvey
{
    /// <summary>Prefix of files that are ready for a roll.</summary>
    public const string SparePrefix = "spare-";

    /// <summary>Names of the two log checkpoints.</summary>
    public static readonly string[] CheckpointNames = ["checkpoint.a", "checkpoint.b"];

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly LogIdentity _identity;
    private readonly byte[] _page = new byte[CommitLogOptions.SegmentHeaderBytes];

    private LogSurvey(IDisk disk, string directory, LogIdentity identity)
    {
        _disk = disk;
        _directory = directory;
        _identity = identity;
    }

    /// <summary>Segments in use, by base.</summary>
    public List<Segment> Segments { get; } = [];

    /// <summary>Names of the spares.</summary>
    public List<string> Spares { get; } = [];

    /// <summary>Names of files that hold nothing and were left over by an interrupted step.</summary>
    public List<string> Leftovers { get; } = [];

    /// <summary>The watermark slot with the highest sequence of all files.</summary>
    public WatermarkSlot? Watermark { get; private set; }

    /// <summary>The newest valid log checkpoint.</summary>
    public LogCheckpoint? Checkpoint { get; private set; }

    /// <summary>Set when a header page is not what it must be.</summary>
    public LogDamage? Damage { get; private set; }

    /// <summary>Reads every header page. Changes nothing; the caller owns the opened segments.</summary>
    public static LogSurvey Read(IDisk disk, string directory, LogIdentity identity, DiskOpenMode mode)
    {
        var survey = new LogSurvey(disk, directory, identity);
        foreach (var name in disk.List(directory))
        {
            if (CheckpointNames.Contains(name))
            {
                survey.ReadCheckpoint(name);
            }
            else
            {
                survey.ReadHeaderPage(name, mode);
            }
        }

        survey.Segments.Sort((left, right) => left.Base.CompareTo(right.Base));
        survey.CheckOrder();
        return survey;
    }

    /// <summary>Closes the segments.</summary>
    public void CloseSegments()
    {
        foreach (var segment in Segments)
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
        var length = file.Read(0, _page);
        if (length < _page.Length)
        {
            // Its creation was interrupted before the header page, so no frame was ever synced in it.
            file.Dispose();
            Leftovers.Add(name);
            return;
        }

        var state = SegmentHeader.Parse(_page, out var header, out var fault);
        if (state is SegmentHeaderState.Valid or SegmentHeaderState.Spare
            && WatermarkSlot.FindNewest(_page, _identity.Seed) is { } slot
            && (Watermark is not { } best || slot.Sequence > best.Sequence))
        {
            // The slot of a roll whose header sector was lost counts as well: it repeats what was durable before.
            Watermark = slot;
        }

        if (state == SegmentHeaderState.Valid)
        {
            if (header.ClusterId != _identity.ClusterId || header.StorageId != _identity.StorageId)
            {
                fault = $"it belongs to cluster {header.ClusterId}, storage {header.StorageId}, expected "
                    + $"{_identity.ClusterId}, {_identity.StorageId}";
            }

            Segments.Add(new Segment(file, path, header));
        }
        else
        {
            file.Dispose();
            var isSpare = state == SegmentHeaderState.Spare && name.StartsWith(SparePrefix, StringComparison.Ordinal);
            (isSpare ? Spares : Leftovers).Add(name);
        }

        if (fault is not null)
        {
            var named = long.TryParse(name, out var position) ? new LogPosition(position) : header.Base;
            Damage ??= new LogDamage(named, $"segment '{path}': {fault}");
        }
    }

    private void CheckOrder()
    {
        for (var i = 1; i < Segments.Count && Damage is null; i++)
        {
            var before = Segments[i - 1];
            var covered = before.Base + (before.File.Length - CommitLogOptions.SegmentHeaderBytes);
            if (Segments[i].Base == before.Base)
            {
                Damage = new LogDamage(
                    before.Base, $"segments '{before.Path}' and '{Segments[i].Path}' both begin at {before.Base}");
            }
            else if (covered < Segments[i].Base)
            {
                Damage = new LogDamage(
                    covered, $"segment '{before.Path}' ends at {covered}, the next one begins at {Segments[i].Base}");
            }
        }
    }
}
