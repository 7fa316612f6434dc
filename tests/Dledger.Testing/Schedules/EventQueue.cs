namespace Dledger.Testing.Schedules;

/// <summary>Simulated time: events run in the order of their moment, equal moments in the order of scheduling.</summary>
public sealed class EventQueue
{
    // A run has some hundred thousand events at most; one that has this many turns in a circle.
    private const long CountMax = 20_000_000;

    private readonly PriorityQueue<Action, (long Moment, long Number)> _events = new();
    private long _number;

    /// <summary>Microseconds since the run began.</summary>
    public long Now { get; private set; }

    /// <summary>Events run so far.</summary>
    public long Count { get; private set; }

    /// <summary>Plans an event for a moment; one in the past is due at once.</summary>
    public void At(long moment, Action action) => _events.Enqueue(action, (Math.Max(moment, Now), _number++));

    /// <summary>Plans an event after a delay in microseconds.</summary>
    public void After(long delay, Action action) => At(Now + delay, action);

    /// <summary>Runs the next event; false when none is left before the moment.</summary>
    public bool TryRunNext(long until)
    {
        if (!_events.TryPeek(out _, out var priority) || priority.Moment > until)
        {
            Now = Math.Max(Now, until);
            return false;
        }

        var action = _events.Dequeue();
        Now = priority.Moment;
        Count++;
        if (Count > CountMax)
        {
            throw new InvalidOperationException($"{CountMax} events and no end");
        }

        action();
        return true;
    }
}
