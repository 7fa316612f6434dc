using Dledger.Primitives;
using Dledger.Storage.Queues;
using Dledger.Testing.Disks;

namespace Dledger.Allocation.Tests.Operations;

/// <summary>A queue's index in memory: one append, and a read of 32 entries.</summary>
public sealed class QueueOperations : IDisposable
{
    private const int ReadCount = 32;

    private readonly ConsumeQueueStore _store;
    private readonly ConsumeQueueEntry[] _entries = new ConsumeQueueEntry[ReadCount];
    private ConsumeQueue _queue;
    private int _queueId;

    public QueueOperations(int tailEntryCountMax = 1 << 20)
    {
        _store = new ConsumeQueueStore(
            new SimulatedDisk(1), "cq", new ConsumeQueueOptions { TailEntryCountMax = tailEntryCountMax });
        _queue = _store.Create(1, _queueId++);
        Append(ReadCount);
    }

    public QueueOffset Append() => _queue.Append(new ConsumeQueueEntry(new LogPosition(64), 1200, 7));

    public int Read() => _queue.Read(new QueueOffset(0), _entries);

    /// <summary>Appends so many, on which the tail grows; that is no cost of each append.</summary>
    public void Append(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Append();
        }
    }

    /// <summary>Goes on with an empty queue, so that an endless loop of appends does not fill the memory.</summary>
    public void Renew() => _queue = _store.Create(1, _queueId++);

    public void Dispose() => _store.Dispose();
}
