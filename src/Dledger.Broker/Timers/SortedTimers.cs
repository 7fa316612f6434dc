namespace Dledger.Broker.Timers;

/// <summary>The pending messages that are held in memory, in order: a list of short sorted lists. Owned by the apply loop.</summary>
internal sealed class SortedTimers
{
    private const int PieceMax = 512;

    private static readonly Comparer<TimerEntry> ByKey =
        Comparer<TimerEntry>.Create(static (left, right) => left.Key.CompareTo(right.Key));

    // None is empty; the last key of each is below the first of the next.
    private readonly List<List<TimerEntry>> _pieces = [];

    public int Count { get; private set; }

    /// <summary>All, in order.</summary>
    public IEnumerable<TimerEntry> All => _pieces.SelectMany(static piece => piece);

    /// <summary>Adds one that is not there yet.</summary>
    public void Add(in TimerEntry entry)
    {
        if (_pieces.Count == 0)
        {
            _pieces.Add(new List<TimerEntry>(PieceMax) { entry });
            Count++;
            return;
        }

        var number = Math.Max(0, PieceOf(entry.Key));
        var piece = _pieces[number];
        var at = piece.BinarySearch(entry, ByKey);
        Primitives.Invariant.Check(at < 0, $"the message at {entry.Key.Position} waits once");
        piece.Insert(~at, entry);
        Count++;
        if (piece.Count == PieceMax)
        {
            var half = new List<TimerEntry>(PieceMax);
            half.AddRange(piece.GetRange(PieceMax / 2, PieceMax / 2));
            piece.RemoveRange(PieceMax / 2, PieceMax / 2);
            _pieces.Insert(number + 1, half);
        }
    }

    /// <summary>Finds one.</summary>
    public bool TryFind(TimerKey key, out TimerEntry entry)
    {
        entry = default;
        if (Find(key) is not ( >= 0, >= 0) place)
        {
            return false;
        }

        entry = _pieces[place.Piece][place.At];
        return true;
    }

    /// <summary>Removes one; false when it is not there.</summary>
    public bool TryRemove(TimerKey key, out TimerEntry entry)
    {
        entry = default;
        if (Find(key) is not ( >= 0, >= 0) place)
        {
            return false;
        }

        var piece = _pieces[place.Piece];
        entry = piece[place.At];
        piece.RemoveAt(place.At);
        Count--;
        if (piece.Count == 0)
        {
            _pieces.RemoveAt(place.Piece);
        }

        return true;
    }

    /// <summary>Those behind a key, in order. The set must not change meanwhile.</summary>
    public IEnumerable<TimerEntry> After(TimerKey key)
    {
        for (var number = Math.Max(0, PieceOf(key)); number < _pieces.Count; number++)
        {
            foreach (var entry in _pieces[number])
            {
                if (entry.Key > key)
                {
                    yield return entry;
                }
            }
        }
    }

    /// <summary>Removes the last ones and gives them, in order.</summary>
    public List<TimerEntry> TakeLast(int count)
    {
        var taken = new List<TimerEntry>(count);
        while (taken.Count < count)
        {
            var piece = _pieces[^1];
            var from = Math.Max(0, piece.Count - (count - taken.Count));
            for (var at = piece.Count - 1; at >= from; at--)
            {
                taken.Add(piece[at]);
            }

            piece.RemoveRange(from, piece.Count - from);
            if (piece.Count == 0)
            {
                _pieces.RemoveAt(_pieces.Count - 1);
            }
        }

        Count -= count;
        taken.Reverse();
        return taken;
    }

    private (int Piece, int At) Find(TimerKey key)
    {
        var number = PieceOf(key);
        return number < 0 ? (-1, -1) : (number, _pieces[number].BinarySearch(new TimerEntry(key, 0, 0), ByKey));
    }

    // The last piece that does not begin behind the key; -1 when there is none.
    private int PieceOf(TimerKey key)
    {
        int low = 0, high = _pieces.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_pieces[middle][0].Key <= key)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }
}
