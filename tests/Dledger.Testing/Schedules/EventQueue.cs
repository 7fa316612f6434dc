namespace Dledger.Testing.Schedules;

/// <summary>Simulated time: events run in the order of their moment, equal moments in the order of scheduling.</summary>
/// <remarks>A heap with four children per parent: most of a simulation's events pass through here, so it is kept flat.</remarks>
public sealed class EventQueue
{
    // A run has some hundred thousand events at most; one that has this many turns in a circle.
    private const long CountMax = 20_000_000;

    private const int ChildCount = 4;

    private Event[] _heap = new Event[64];
    private int _size;
    private long _number;

    /// <summary>Microseconds since the run began.</summary>
    public long Now { get; private set; }

    /// <summary>Events run so far.</summary>
    public long Count { get; private set; }

    /// <summary>Plans an event for a moment; one in the past is due at once.</summary>
    public void At(long moment, Action action)
    {
        if (_size == _heap.Length)
        {
            Array.Resize(ref _heap, 2 * _size);
        }

        var added = new Event(Math.Max(moment, Now), _number++, action);
        var place = _size++;
        while (place > 0 && added.IsBefore(_heap[(place - 1) / ChildCount]))
        {
            _heap[place] = _heap[(place - 1) / ChildCount];
            place = (place - 1) / ChildCount;
        }

        _heap[place] = added;
    }

    /// <summary>Plans an event after a delay in microseconds.</summary>
    public void After(long delay, Action action) => At(Now + delay, action);

    /// <summary>Runs the next event; false when none is left before the moment.</summary>
    public bool TryRunNext(long until)
    {
        if (_size == 0 || _heap[0].Moment > until)
        {
            Now = Math.Max(Now, until);
            return false;
        }

        var next = _heap[0];
        RemoveFirst();
        Now = next.Moment;
        Count++;
        if (Count > CountMax)
        {
            throw new InvalidOperationException($"{CountMax} events and no end");
        }

        next.Action();
        return true;
    }

    private void RemoveFirst()
    {
        var last = _heap[--_size];
        _heap[_size] = default;
        var place = 0;
        for (var child = 1; child < _size; child = (ChildCount * place) + 1)
        {
            var least = child;
            for (var other = child + 1; other < Math.Min(child + ChildCount, _size); other++)
            {
                least = _heap[other].IsBefore(_heap[least]) ? other : least;
            }

            if (!_heap[least].IsBefore(last))
            {
                break;
            }

            _heap[place] = _heap[least];
            place = least;
        }

        if (_size > 0)
        {
            _heap[place] = last;
        }
    }

    private readonly struct Event(long moment, long number, Action action)
    {
        public readonly long Moment = moment;

        public readonly Action Action = action;

        private readonly long _number = number;

        public bool IsBefore(in Event other) =>
            Moment < other.Moment || (Moment == other.Moment && _number < other._number);
    }
}
