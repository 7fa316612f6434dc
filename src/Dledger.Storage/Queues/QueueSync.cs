using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>
/// What the queues held that was not durable, at the moment it was made: entries that waited in memory and files that had been written.
/// <see cref="Run"/> is for any thread while the owner of the queues goes on; all else belongs to that owner.
/// </summary>
/// <remarks>
/// A node with 80,000 queues has that many small files to write and to sync. From <see cref="WholeSyncMin"/> files on the file system
/// is asked once for all of them, and none is kept open.
/// </remarks>
public sealed class QueueSync
{
    /// <summary>From so many files on everything that the file system holds is synced at once.</summary>
    internal const int WholeSyncMin = 128;

    private readonly QueueFileCache _cache;
    private readonly IDisk _disk;
    private readonly QueueCut _cut;
    private readonly IReadOnlyList<OpenQueueFile> _files;
    private readonly HashSet<string> _names;
    private volatile bool _isDone;

    internal QueueSync(
        QueueFileCache cache, IDisk disk, QueueCut cut, IReadOnlyList<OpenQueueFile> files, IEnumerable<string> names)
    {
        _cache = cache;
        _disk = disk;
        _cut = cut;
        _files = files;
        _names = [.. names];
    }

    /// <summary>Makes it durable, names included.</summary>
    public void Run()
    {
        // Opened before the first write: it tells of the faults since then.
        using var whole = _cut.Pieces.Count + _files.Count >= WholeSyncMin ? _disk.BeginWholeSync() : null;
        if (whole is not null)
        {
            foreach (var piece in _cut.Pieces)
            {
                Write(piece).Dispose();
            }

            whole.Run();
        }
        else
        {
            SyncEach();
        }

        _isDone = true;
    }

    /// <summary>Gives the files back; what <see cref="Run"/> did not finish is owed again. Once, by the owner.</summary>
    public void End()
    {
        _cache.EndSync(_files, _isDone ? [] : _names, _isDone);
        if (_isDone)
        {
            _cut.End();
        }
    }

    private void SyncEach()
    {
        var written = new List<IDiskFile>(_cut.Pieces.Count);
        try
        {
            foreach (var piece in _cut.Pieces)
            {
                written.Add(Write(piece));
            }

            foreach (var file in written.Concat(_files.Select(open => open.File)))
            {
                file.Sync();
            }
        }
        finally
        {
            written.ForEach(file => file.Dispose());
        }

        foreach (var name in _names)
        {
            _disk.SyncDirectory(name);
        }
    }

    // The owner may write the same bytes to the same place in the meantime.
    private IDiskFile Write(in QueuePiece piece)
    {
        var path = _cache.PathOf(piece.Key);
        if (!_disk.Exists(path))
        {
            var directory = DiskPaths.ParentOf(path);
            _disk.CreateDirectory(directory);
            _names.Add(directory);
        }

        var file = _disk.Open(path, DiskOpenMode.OpenOrCreate);
        try
        {
            file.Write(piece.Offset, piece.Entries.Span);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
