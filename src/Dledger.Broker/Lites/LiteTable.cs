using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dledger.Primitives;

namespace Dledger.Broker.Lites;

/// <summary>
/// The lite topics of one parent. Replicated state: changed by the apply loop only; <see cref="FindQueue"/>, <see cref="Count"/> and
/// <see cref="QueueCount"/> for any thread.
/// </summary>
internal sealed class LiteTable
{
    private readonly ConcurrentDictionary<string, LiteTopic> _byName = new(StringComparer.Ordinal);
    private readonly List<LiteTopic?> _byQueue = [];
    private readonly SortedSet<int> _free = [];
    private volatile int _count;
    private volatile int _queueCount;

    /// <summary>How many there are.</summary>
    public int Count => _count;

    /// <summary>Queues that belong to a lite topic, or did.</summary>
    public int QueueCount => _queueCount;

    /// <summary>Grows with every change of names.</summary>
    public long Version { get; private set; }

    /// <summary>By queue id.</summary>
    public IEnumerable<LiteTopic> All => _byQueue.OfType<LiteTopic>();

    /// <summary>The queue of a name at the newest applied position; null when there is no such lite topic.</summary>
    public int? FindQueue(string name) => _byName.TryGetValue(name, out var lite) ? lite.QueueId : null;

    public bool TryFind(string name, [NotNullWhen(true)] out LiteTopic? lite) => _byName.TryGetValue(name, out lite);

    /// <summary>The lite topic that a queue belongs to now.</summary>
    public LiteTopic? OfQueue(int queueId) => queueId < _byQueue.Count ? _byQueue[queueId] : null;

    /// <summary>The queue that the next lite topic gets: the lowest that is free, else one that does not exist yet.</summary>
    public int NextQueueId => _free.Count > 0 ? _free.Min : _byQueue.Count;

    public void Add(LiteTopic lite)
    {
        while (_byQueue.Count <= lite.QueueId)
        {
            _free.Add(_byQueue.Count);
            _byQueue.Add(null);
        }

        Invariant.Check(_free.Remove(lite.QueueId), $"queue {lite.QueueId} belongs to no other lite topic");
        Invariant.Check(_byName.TryAdd(lite.Name, lite), $"the name of lite topic {lite.QueueId} is new");
        _byQueue[lite.QueueId] = lite;
        Changed();
    }

    public void Remove(LiteTopic lite)
    {
        _byQueue[lite.QueueId] = null;
        _free.Add(lite.QueueId);
        _byName.TryRemove(lite.Name, out _);
        Changed();
    }

    private void Changed()
    {
        Version++;
        _count = _byName.Count;
        _queueCount = _byQueue.Count;
    }
}
