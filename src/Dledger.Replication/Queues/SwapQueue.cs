namespace Dledger.Replication.Queues;

/// <summary>
/// Many threads add, one takes everything at once. The bound is the caller's: what is added is already paid for.
/// </summary>
internal sealed class SwapQueue<T>(WakeSignal signal)
{
    private readonly Lock _lock = new();
    private List<T> _items = [];
    private bool _isClosed;

    /// <summary>Adds an item and wakes the taker; false when the queue is closed.</summary>
    public bool TryAdd(T item)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return false;
            }

            _items.Add(item);
        }

        signal.Set();
        return true;
    }

    /// <summary>Swaps all items with the emptied <paramref name="taken"/>; false when there were none.</summary>
    public bool TryTakeAll(ref List<T> taken)
    {
        taken.Clear();
        lock (_lock)
        {
            if (_items.Count == 0)
            {
                return false;
            }

            (_items, taken) = (taken, _items);
            return true;
        }
    }

    /// <summary>Refuses further items and answers those that were never taken.</summary>
    public IReadOnlyList<T> Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            var rest = _items;
            _items = [];
            return rest;
        }
    }
}
