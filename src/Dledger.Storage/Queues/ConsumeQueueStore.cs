using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>The ConsumeQueues of a node. Owned by the apply loop.</summary>
/// <remarks>
/// The files alone do not say how long a queue is: a state checkpoint does, and what was applied after it is appended
/// again.
/// </remarks>
public sealed class ConsumeQueueStore : IDisposable
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly ConsumeQueueOptions _options;
    private readonly QueueFileCache _files;
    private readonly Dictionary<(int TopicId, int QueueId), ConsumeQueue> _queues = [];
    private readonly List<ConsumeQueue> _unflushed = [];
    private long _unflushedCount;
    private long _tailBytes;
    private readonly Lock _pinLock = new();
    private int _pinCount;

    /// <summary>Whether a snapshot is being sent, which may name queues that are gone since. Any thread.</summary>
    public bool IsPinned
    {
        get
        {
            lock (_pinLock)
            {
                return _pinCount > 0;
            }
        }
    }

    /// <summary>Bytes of entries that wait in memory for a checkpoint or a flush.</summary>
    public long UnflushedBytes => _unflushedCount * ConsumeQueueEntry.Bytes;

    /// <summary>Bytes of memory for the newest entries of all queues, those that wait among them.</summary>
    public long TailBytes => _tailBytes;

    /// <summary>They take more than they should.</summary>
    internal bool HasTooMuchInMemory => _tailBytes > _options.TailBytesMax;

    /// <summary>A store over a directory, which is created with the first file. Reads nothing yet.</summary>
    public ConsumeQueueStore(IDisk disk, string directory, ConsumeQueueOptions options)
    {
        _disk = disk;
        _directory = directory;
        _options = options;
        _files = new QueueFileCache(disk, directory, options);
    }

    /// <summary>
    /// A new queue that begins at offset 0. Files that an earlier life left under its name are deleted.
    /// </summary>
    public ConsumeQueue Create(int topicId, int queueId)
    {
        _files.Delete(topicId, queueId);
        return Keep(topicId, queueId, new QueueOffset(0), new QueueOffset(0));
    }

    /// <summary>
    /// The queue as a state checkpoint describes it; what its files hold behind <paramref name="max"/> is removed.
    /// False when they do not hold [min, max): then that checkpoint cannot be used.
    /// </summary>
    public bool TryRestore(
        int topicId,
        int queueId,
        QueueOffset min,
        QueueOffset max,
        [NotNullWhen(true)] out ConsumeQueue? queue,
        [NotNullWhen(false)] out string? fault)
    {
        queue = new ConsumeQueue(this, _files, _options, topicId, queueId, min, max);
        fault = queue.FindFault();
        if (fault is not null)
        {
            queue = null;
            return false;
        }

        queue.CutFiles(max);
        queue.FindFirstFile();
        Invariant.Check(_queues.TryAdd((topicId, queueId), queue), $"queue {topicId}/{queueId} is opened once");
        return true;
    }

    /// <summary>Removes a queue and its files.</summary>
    public void Delete(int topicId, int queueId)
    {
        if (_queues.Remove((topicId, queueId), out var queue))
        {
            queue.Forget();
            _files.Delete(topicId, queueId);
        }
    }

    /// <summary>Forgets all queues without touching their files, to restore them from another checkpoint.</summary>
    public void Reset()
    {
        _queues.Clear();
        _unflushed.Clear();
        _unflushedCount = 0;
        _tailBytes = 0;
    }

    /// <summary>Deletes the files of all queues that were neither created nor restored.</summary>
    public void DeleteUnknown()
    {
        foreach (var topic in _disk.List(_directory))
        {
            foreach (var queue in _disk.List($"{_directory}/{topic}"))
            {
                if (int.TryParse(topic, NumberStyles.None, CultureInfo.InvariantCulture, out var topicId)
                    && int.TryParse(queue, NumberStyles.None, CultureInfo.InvariantCulture, out var queueId)
                    && !_queues.ContainsKey((topicId, queueId)))
                {
                    _files.Delete(topicId, queueId);
                }
            }
        }
    }

    /// <summary>Moves the first offset of every queue with the log's start; see
    /// <see cref="ConsumeQueue.AdvanceMin"/>.</summary>
    public void AdvanceMins(LogPosition logStart)
    {
        foreach (var queue in _queues.Values)
        {
            queue.AdvanceMin(logStart);
        }
    }

    /// <summary>
    /// Deletes the files that neither of the two newest state checkpoints needs; to be called once after each that was begun by
    /// <see cref="BeginCheckpoint"/> and is durable. Does nothing while files are pinned.
    /// </summary>
    public void DeleteExpired()
    {
        lock (_pinLock)
        {
            if (_pinCount > 0)
            {
                return;
            }

            foreach (var queue in _queues.Values)
            {
                queue.DeleteExpiredFiles();
            }
        }
    }

    /// <summary>
    /// Keeps the files of expired entries until the result is disposed, for a snapshot that is being sent; files of
    /// deleted topics go all the same. Any thread.
    /// </summary>
    public IDisposable PinFiles()
    {
        lock (_pinLock)
        {
            _pinCount++;
        }

        return new FilePin(this);
    }

    /// <summary>
    /// Writes all entries that wait in memory to the file system; returns whether there were any. What a full disk has no room for
    /// waits on.
    /// </summary>
    public bool Flush()
    {
        var hadAny = _unflushedCount > 0;
        foreach (var queue in _unflushed)
        {
            queue.Flush();
        }

        DropFlushed();
        return hadAny;
    }

    /// <summary>
    /// A state checkpoint is cut: takes what is not durable yet, with copies of the entries that wait in memory; the result makes it
    /// so, on any thread. No queue and no expired file may be deleted until it ends.
    /// </summary>
    public QueueSync BeginCheckpoint()
    {
        foreach (var queue in _queues.Values)
        {
            queue.NoteCut();
        }

        DropFlushed();
        return _files.BeginSync(new QueueCut(this, _unflushed, _options.EntriesPerFile));
    }

    /// <summary>Makes all queues durable.</summary>
    public void Sync()
    {
        Flush();
        _files.Sync();
    }

    /// <summary>Closes the files; entries in memory are not written, the log has them.</summary>
    public void Dispose() => _files.Dispose();

    internal void NoteFlushed(long count) => _unflushedCount -= count;

    internal void NoteTail(long bytes) => _tailBytes += bytes;

    internal void NoteAppended(ConsumeQueue queue)
    {
        _unflushedCount++;
        if (!queue.IsListed)
        {
            queue.IsListed = true;
            _unflushed.Add(queue);
        }
    }

    private void DropFlushed() => _unflushed.RemoveAll(queue => !(queue.IsListed = queue.HasUnflushed));

    private ConsumeQueue Keep(int topicId, int queueId, QueueOffset min, QueueOffset max)
    {
        var queue = new ConsumeQueue(this, _files, _options, topicId, queueId, min, max);
        Invariant.Check(_queues.TryAdd((topicId, queueId), queue), $"queue {topicId}/{queueId} is created once");
        return queue;
    }

    private sealed class FilePin(ConsumeQueueStore store) : IDisposable
    {
        private ConsumeQueueStore? _store = store;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _store, null) is { } pinned)
            {
                lock (pinned._pinLock)
                {
                    pinned._pinCount--;
                }
            }
        }
    }
}
