using Dledger.Broker.Groups;
using Dledger.Broker.Receiving;

namespace Dledger.Broker.Filtering;

/// <summary>Available messages that one filter does not want and another one of the group may: not looked at twice.</summary>
internal sealed class LeftOffsets
{
    private const int PruneAtMin = 1_024;

    private readonly Dictionary<int, HashSet<long>> _byQueue = [];
    private int _count;
    private int _pruneAt = PruneAtMin;

    public bool Contains(int queueId, long offset) =>
        _byQueue.TryGetValue(queueId, out var offsets) && offsets.Contains(offset);

    public void Add(int queueId, long offset)
    {
        if (!_byQueue.TryGetValue(queueId, out var offsets))
        {
            offsets = [];
            _byQueue.Add(queueId, offsets);
        }

        _count += offsets.Add(offset) ? 1 : 0;
    }

    /// <summary>Now and then drops what is finished; the rest lies within the delivery window of each queue, or aside.</summary>
    public void Prune(Subscription subscription)
    {
        if (_count < _pruneAt)
        {
            return;
        }

        foreach (var (queueId, offsets) in _byQueue)
        {
            var cursor = subscription.Cursors[queueId];
            offsets.RemoveWhere(offset => offset < cursor.Commit && !cursor.Contains(offset));
        }

        _count = _byQueue.Values.Sum(offsets => offsets.Count);
        _pruneAt = Math.Max(PruneAtMin, 2 * _count);
    }
}

/// <summary>The <see cref="LeftOffsets"/> of a group's filters on a topic. Volatile, owned by the apply loop.</summary>
/// <remarks>All is forgotten when the filters of the group change: what was left for somebody may be nobody's now.</remarks>
internal sealed class LeftOffsetsTable
{
    private readonly Dictionary<string, LeftOffsets> _byFilter = new(StringComparer.Ordinal);
    private long _version;

    /// <summary>What a receive with this filter need not look at; null for nothing.</summary>
    public LeftOffsets? Of(ReceiveOperation operation)
    {
        Adopt(operation.GroupFilters.Version);
        return _byFilter.GetValueOrDefault(operation.Filter.Text);
    }

    public void Add(ReceiveOperation operation, ScanVerdict verdict, Subscription? subscription)
    {
        Adopt(operation.GroupFilters.Version);
        if (verdict.FiltersVersion != _version || verdict.Left.Count == 0)
        {
            return;
        }

        if (!_byFilter.TryGetValue(operation.Filter.Text, out var left))
        {
            left = new LeftOffsets();
            _byFilter.Add(operation.Filter.Text, left);
        }

        foreach (var (queueId, offset) in verdict.Left)
        {
            left.Add(queueId, offset);
        }

        if (subscription is not null)
        {
            left.Prune(subscription);
        }
    }

    private void Adopt(long version)
    {
        if (version != _version)
        {
            _byFilter.Clear();
            _version = version;
        }
    }
}
