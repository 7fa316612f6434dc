using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>The open files of all queues, the least recently used closed first. Owned by the apply loop.</summary>
/// <remarks>
/// A file that was written and not synced is synced before it is closed, so that no write error goes unseen. A file that was found was
/// perhaps created by a process that ended before it made the name durable, so the names above the first file that is written in a
/// queue are synced once in each life.
/// </remarks>
internal sealed class QueueFileCache(IDisk disk, string directory, ConsumeQueueOptions options) : IDisposable
{
    private readonly Dictionary<QueueFileKey, LinkedListNode<OpenQueueFile>> _byKey = [];
    private readonly LinkedList<OpenQueueFile> _byUse = [];
    private readonly HashSet<string> _newNames = [];
    private readonly HashSet<(int TopicId, int QueueId)> _named = [];

    /// <summary>Where a file lies.</summary>
    public string PathOf(in QueueFileKey key) => key.PathIn(directory, options.EntriesPerFile);

    /// <summary>Opens a file for reading, or finds it open; null when it does not exist.</summary>
    public IDiskFile? Find(in QueueFileKey key) => (Lookup(key) ?? OpenExisting(key))?.File;

    /// <summary>Opens a file for writing, creates it if it does not exist, and notes that it must be synced.</summary>
    public IDiskFile OpenForWrite(in QueueFileKey key)
    {
        var open = Lookup(key) ?? OpenExisting(key) ?? Create(key);
        NoteWritten(key);
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

    /// <summary>
    /// Takes what was written and is not durable, and what is still to be written. Until the sync ends its files stay open, and nothing
    /// may be deleted.
    /// </summary>
    public QueueSync BeginSync(QueueCut cut)
    {
        foreach (var piece in cut.Pieces)
        {
            NoteWritten(piece.Key);
        }

        var files = new List<OpenQueueFile>();
        foreach (var open in _byUse.Where(open => open.IsDirty))
        {
            // A write from now on makes it dirty anew: the sync may or may not cover that one.
            open.IsDirty = false;
            open.IsPinned = true;
            files.Add(open);
        }

        var sync = new QueueSync(this, disk, cut, files, _newNames);
        _newNames.Clear();
        return sync;
    }

    /// <summary>Takes back what a sync had taken.</summary>
    /// <param name="files">Its files.</param>
    /// <param name="owedNames">Directories that are not durable yet.</param>
    /// <param name="isDone">Whether the files are durable.</param>
    public void EndSync(IReadOnlyList<OpenQueueFile> files, IReadOnlyCollection<string> owedNames, bool isDone)
    {
        foreach (var open in files)
        {
            open.IsPinned = false;
            open.IsDirty |= !isDone;
        }

        _newNames.UnionWith(owedNames);
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
        _named.Remove((topicId, queueId));
    }

    /// <summary>Closes and deletes one file.</summary>
    public void Delete(in QueueFileKey key)
    {
        if (_byKey.TryGetValue(key, out var node))
        {
            Close(node);
        }

        disk.Delete(PathOf(key));
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

    private OpenQueueFile? Lookup(in QueueFileKey key)
    {
        if (!_byKey.TryGetValue(key, out var node))
        {
            return null;
        }

        _byUse.Remove(node);
        _byUse.AddLast(node);
        return node.Value;
    }

    private OpenQueueFile? OpenExisting(in QueueFileKey key)
    {
        var path = PathOf(key);
        return disk.Exists(path) ? Keep(key, disk.Open(path, DiskOpenMode.ReadWrite)) : null;
    }

    private OpenQueueFile Create(in QueueFileKey key)
    {
        var queuePath = QueueFileKey.DirectoryOf(directory, key.TopicId, key.QueueId);
        if (!disk.Exists(queuePath))
        {
            disk.CreateDirectory(queuePath);
        }

        _newNames.Add(queuePath);
        // A sync may create it at the same moment.
        return Keep(key, disk.Open(PathOf(key), DiskOpenMode.OpenOrCreate));
    }

    private void NoteWritten(in QueueFileKey key)
    {
        if (_named.Add((key.TopicId, key.QueueId)))
        {
            OweNames(QueueFileKey.DirectoryOf(directory, key.TopicId, key.QueueId));
        }
    }

    private void OweNames(string queuePath)
    {
        _newNames.Add(DiskPaths.ParentOf(directory));
        _newNames.Add(directory);
        _newNames.Add(queuePath[..queuePath.LastIndexOf('/')]);
        _newNames.Add(queuePath);
    }

    private OpenQueueFile Keep(in QueueFileKey key, IDiskFile file)
    {
        for (var oldest = _byUse.First; oldest is not null && _byKey.Count >= options.OpenFileCountMax;)
        {
            var next = oldest.Next;
            if (!oldest.Value.IsPinned)
            {
                SyncIfDirty(oldest.Value);
                Close(oldest);
            }

            oldest = next;
        }

        var open = new OpenQueueFile(key, file);
        _byKey.Add(key, _byUse.AddLast(open));
        return open;
    }

    private void Close(LinkedListNode<OpenQueueFile> node)
    {
        _byUse.Remove(node);
        _byKey.Remove(node.Value.Key);
        node.Value.File.Dispose();
    }

    private static void SyncIfDirty(OpenQueueFile open)
    {
        if (open.IsDirty)
        {
            open.File.Sync();
            open.IsDirty = false;
        }
    }
}
