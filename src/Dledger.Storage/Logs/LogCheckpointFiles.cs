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
    public void Write(
        in ChainTail tail,
        LogPosition logStart,
        IReadOnlyList<Epoch> epochs,
        IReadOnlyList<LogConfiguration> configurations)
    {
        Invariant.Check(tail.End > End, $"log checkpoints rise: {tail.End} after {End}");
        WriteNext(tail, logStart, epochs, configurations);
    }

    /// <summary>
    /// Forgets the files, which were deleted with the log that they spoke of. The configurations below the new log's start
    /// have no other place than a first checkpoint.
    /// </summary>
    public void Reset(in ChainTail start, IReadOnlyList<LogConfiguration> configurations)
    {
        Dispose();
        _files.AsSpan().Clear();
        End = start.End;
        if (configurations.Count > 0)
        {
            WriteNext(start, start.End, [new Epoch(start.Term, start.End)], configurations);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files)
        {
            file?.Dispose();
        }
    }

    private void WriteNext(
        in ChainTail tail,
        LogPosition logStart,
        IReadOnlyList<Epoch> epochs,
        IReadOnlyList<LogConfiguration> configurations)
    {
        var checkpoint = new LogCheckpoint
        {
            Sequence = _sequence + 1,
            Tail = tail,
            LogStart = logStart,
            Epochs = epochs,
            Configurations = configurations,
        };
        var file = OpenFile((int)(checkpoint.Sequence & 1));
        file.Write(0, checkpoint.Encode(identity));
        file.Sync();
        _sequence++;
        End = tail.End;
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
