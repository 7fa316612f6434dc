using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>
/// What had been written to the queues' files, and was not durable, at the moment it was made. <see cref="Run"/> is for any thread
/// while the owner of the queues goes on writing; all else belongs to that owner.
/// </summary>
public sealed class QueueSync
{
    private readonly QueueFileCache _cache;
    private readonly IDisk _disk;
    private readonly IReadOnlyList<OpenQueueFile> _files;
    private readonly IReadOnlyCollection<string> _names;
    private volatile bool _isDone;

    internal QueueSync(
        QueueFileCache cache, IDisk disk, IReadOnlyList<OpenQueueFile> files, IReadOnlyCollection<string> names)
    {
        _cache = cache;
        _disk = disk;
        _files = files;
        _names = names;
    }

    /// <summary>Makes it durable, names included.</summary>
    public void Run()
    {
        foreach (var open in _files)
        {
            open.File.Sync();
        }

        foreach (var name in _names)
        {
            _disk.SyncDirectory(name);
        }

        _isDone = true;
    }

    /// <summary>Gives the files back; what <see cref="Run"/> did not finish is owed again. Once, by the owner.</summary>
    public void End() => _cache.EndSync(_files, _isDone ? [] : _names, _isDone);
}
