using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Messages;
using Dledger.Primitives;

namespace Dledger.Broker.Idempotence;

/// <summary>
/// The messages that one topic knows by their ids: the same id again is answered with the first result and stored no second time.
/// Replicated state, owned by the apply loop.
/// </summary>
/// <remarks>
/// Entries go in the order in which they came: by log time and by count, looked at whenever a message of the topic is applied, so what
/// is remembered is a function of the log. An entry takes about 110 bytes of memory and 44 in a checkpoint.
/// </remarks>
internal sealed class IdWindow
{
    private readonly Queue<Entry> _inOrder = new();
    private readonly Dictionary<UInt128, AppendedMessage> _byHash = [];

    public int Count => _inOrder.Count;

    /// <summary>Oldest first.</summary>
    public IEnumerable<(UInt128 Hash, AppendedMessage First)> All => _inOrder.Select(entry => (entry.Hash, _byHash[entry.Hash]));

    /// <summary>
    /// The first result of an id; false when it is not known (any more). Its queue offset is -1 while it has none, for a message that
    /// becomes visible later.
    /// </summary>
    public bool TryFind(UInt128 hash, out AppendedMessage first) => _byHash.TryGetValue(hash, out first);

    /// <summary>Forgets what the settings do not keep at a log time.</summary>
    public void Expire(IdWindowSettings settings, long logTime)
    {
        while (_inOrder.TryPeek(out var oldest)
            && (_inOrder.Count > settings.CountMax || oldest.StoreTime + settings.Microseconds <= logTime))
        {
            _inOrder.Dequeue();
            _byHash.Remove(oldest.Hash);
        }
    }

    /// <summary>Remembers an id that is not known.</summary>
    public void Add(UInt128 hash, in AppendedMessage first)
    {
        var isNew = _byHash.TryAdd(hash, first);
        Invariant.Check(isNew, $"an id of the message at {first.Position} is remembered once");
        _inOrder.Enqueue(new Entry(hash, first.StoreTimeMicroseconds));
    }

    [SuppressMessage("Performance", "CA1815", Justification = "never compared")]
    private readonly struct Entry(UInt128 hash, long storeTime)
    {
        public UInt128 Hash { get; } = hash;

        public long StoreTime { get; } = storeTime;
    }
}
