using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>An open file of a queue, as <see cref="QueueFileCache"/> keeps it.</summary>
internal sealed class OpenQueueFile(QueueFileKey key, IDiskFile file)
{
    public QueueFileKey Key { get; } = key;

    public IDiskFile File { get; } = file;

    /// <summary>Written since the last sync began.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Part of a <see cref="QueueSync"/>, so it must stay open.</summary>
    public bool IsPinned { get; set; }
}
