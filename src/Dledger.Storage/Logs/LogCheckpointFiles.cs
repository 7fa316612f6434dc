using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// The two files that hold log checkpoints in turn, so that the older one survives a torn write. Log writer.
/// </summary>
internal sealed class LogCheckpointFiles(
    IDisk disk, string directory, LogIdentity identity, long sequence, LogPosition end) : IDisposable
{
    private readonly IDiskFile?[] _files = new IDiskFile?[LogSurvey.CheckpointNames.Length];
    private long _sequence = sequence;

    /// <summary>End of the newest checkpoint; the log's start before the first.</summary>
    public LogPosition End { get; private set; } = end;

    /// <summary>Writes the next checkpoint; returns when it is durable.</summary>
    public void Write(in ChainTail tail, LogPosition logStart, IReadOnlyList<Epoch> epochs)
    {
        Invariant.Check(tail.End > End, $"log checkpoints rise: {tail.End} after {End}");
        var checkpoint = new LogCheckpoint
        {
            Sequence = _sequence + 1,
            Tail = tail,
            LogStart = logStart,
            Epochs = epochs,
        };
        var file = OpenFile((int)(checkpoint.Sequence & 1));
        file.Write(0, checkpoint.Encode(identity));
        file.Sync();
        _sequence++;
        End = tail.End;
    }

    /// <summary>Forgets the files, which were deleted with the log that they spoke of.</summary>
    public void Reset(LogPosition start)
    {
        Dispose();
        _files.AsSpan().Clear();
        End = start;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files)
        {
            file?.Dispose();
        }
    }

    private IDiskFile OpenFile(int index)
    {
        if (_files[index] is { } open)
        {
            return open;
        }

        var path = $"{directory}/{LogSurvey.CheckpointNames[index]}";
        var isNew = !disk.Exists(path);
        var file = disk.Open(path, DiskOpenMode.OpenOrCreate);
        _files[index] = file;
        if (isNew)
        {
            disk.SyncDirectory(directory);
        }

        return file;
    }
}
