using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>The open files of all queues, the least recently used closed first. Owned by the apply loop.</summary>
/// <remarks>
/// A file that was written and not synced is synced before it is closed, so that no write error goes unseen.
/// </remarks>
internal sealed class QueueFileCache(IDisk disk, string directory, ConsumeQueueOptions options) : IDisposable
{
    private readonly Dictionary<QueueFileKey, LinkedListNode<OpenFile>> _byKey = [];
    private readonly LinkedList<OpenFile> _byUse = [];
    private readonly HashSet<string> _newNames = [];

    /// <summary>Opens a file for reading, or finds it open; null when it does not exist.</summary>
    public IDiskFile? Find(in QueueFileKey key) => (Lookup(key) ?? OpenExisting(key))?.File;

    /// <summary>Opens a file for writing, creates it if it does not exist, and notes that it must be synced.</summary>
    public IDiskFile OpenForWrite(in QueueFileKey key)
    {
        var open = Lookup(key) ?? OpenExisting(key) ?? Create(key);
        open.IsDirty = true;
        return open.File;
    }

    /// <summary>Makes everything written so far durable, names included.</summary>
    public void Sync()
    {
        foreach (var open in _byUse)
        {
            SyncIfDirty(open);
        }

        foreach (var name in _newNames)
        {
            disk.SyncDirectory(name);
        }

        _newNames.Clear();
    }

    /// <summary>Closes and deletes all files of a queue.</summary>
    public void Delete(int topicId, int queueId)
    {
        var path = QueueFileKey.DirectoryOf(directory, topicId, queueId);
        foreach (var key in _byKey.Keys.Where(key => key.TopicId == topicId && key.QueueId == queueId).ToArray())
        {
            Close(_byKey[key]);
        }

        if (disk.Exists(path))
        {
            foreach (var name in disk.List(path))
            {
                disk.Delete($"{path}/{name}");
            }

            disk.DeleteDirectory(path);
        }

        _newNames.Remove(path);
    }

    /// <summary>Closes and deletes one file.</summary>
    public void Delete(in QueueFileKey key)
    {
        if (_byKey.TryGetValue(key, out var node))
        {
            Close(node);
        }

        disk.Delete(key.PathIn(directory, options.EntriesPerFile));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var open in _byUse)
        {
            open.File.Dispose();
        }

        _byUse.Clear();
        _byKey.Clear();
    }

    private OpenFile? Lookup(in QueueFileKey key)
    {
        if (!_byKey.TryGetValue(key, out var node))
        {
            return null;
        }

        _byUse.Remove(node);
        _byUse.AddLast(node);
        return node.Value;
    }

    private OpenFile? OpenExisting(in QueueFileKey key)
    {
        var path = key.PathIn(directory, options.EntriesPerFile);
        return disk.Exists(path) ? Keep(key, disk.Open(path, DiskOpenMode.ReadWrite)) : null;
    }

    private OpenFile Create(in QueueFileKey key)
    {
        var queuePath = QueueFileKey.DirectoryOf(directory, key.TopicId, key.QueueId);
        if (!disk.Exists(queuePath))
        {
            disk.CreateDirectory(queuePath);
            _newNames.Add(DiskPaths.ParentOf(directory));
            _newNames.Add(directory);
            _newNames.Add(queuePath[..queuePath.LastIndexOf('/')]);
        }

        _newNames.Add(queuePath);
        return Keep(key, disk.Open(key.PathIn(directory, options.EntriesPerFile), DiskOpenMode.CreateNew));
    }

    private OpenFile Keep(in QueueFileKey key, IDiskFile file)
    {
        while (_byKey.Count >= options.OpenFileCountMax && _byUse.First is { } oldest)
        {
            SyncIfDirty(oldest.Value);
            Close(oldest);
        }

        var open = new OpenFile(key, file);
        _byKey.Add(key, _byUse.AddLast(open));
        return open;
    }

    private void Close(LinkedListNode<OpenFile> node)
    {
        _byUse.Remove(node);
        _byKey.Remove(node.Value.Key);
        node.Value.File.Dispose();
    }

    private static void SyncIfDirty(OpenFile open)
    {
        if (open.IsDirty)
        {
            open.File.Sync();
            open.IsDirty = false;
        }
    }

    private sealed class OpenFile(QueueFileKey key, IDiskFile file)
    {
        public QueueFileKey Key { get; } = key;

        public IDiskFile File { get; } = file;

        public bool IsDirty { get; set; }
    }
}
