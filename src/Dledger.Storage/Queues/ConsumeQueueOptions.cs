namespace Dledger.Storage.Queues;

/// <summary>Sizes of the ConsumeQueues of a node.</summary>
public sealed record ConsumeQueueOptions
{
    /// <summary>Entries per file; changing it makes existing queues unreadable.</summary>
    public int EntriesPerFile { get; init; } = 300_000;

    /// <summary>Most files kept open, 16 or more.</summary>
    public int OpenFileCountMax { get; init; } = 1024;

    /// <summary>Entries of one queue that are gathered in memory before they are written without being asked.</summary>
    public int TailEntryCountMax { get; init; } = 3276;

    /// <summary>
    /// Bytes of memory that the newest entries of all queues may take before those that the files hold are read from there.
    /// </summary>
    public long TailBytesMax { get; init; } = 32L << 20;
}
