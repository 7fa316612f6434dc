using Dledger.Broker.Naming;

namespace Dledger.Broker.Receiving;

/// <summary>Ends long polls when their time is up: one timer for all of them. Any thread.</summary>
/// <remarks>
/// Operations lie in slots of <see cref="SlotMilliseconds"/>; the timer runs only while there are any, so an idle node
/// does not wake up. An operation that ends earlier is taken out.
/// </remarks>
internal sealed class PollTimer : IDisposable
{
    private const int SlotMilliseconds = 50;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, HashSet<ITimedPoll>> _slots = [];
    private readonly ITimer _timer;
    private readonly long _origin;
    private bool _isRunning;

    public PollTimer(TimeProvider time)
    {
        _time = time;
        _origin = time.GetTimestamp();
        _timer = time.CreateTimer(
            static state => ((PollTimer)state!).Run(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The node's clock, microseconds since 1970 (UTC).</summary>
    public long NowMicroseconds => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Operations whose time runs.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _slots.Values.Sum(slot => slot.Count);
            }
        }
    }

    /// <summary>The slot in which a long poll of this length ends.</summary>
    public long DeadlineAfter(TimeSpan longPoll)
    {
        var length = longPoll < Limits.LongPollMax ? longPoll : Limits.LongPollMax;
        var slots = (long)Math.Ceiling(length.TotalMilliseconds / SlotMilliseconds);
        return NowSlot() + Math.Max(0, slots);
    }

    /// <summary>Whether there is time left.</summary>
    public bool IsAhead(long slot) => slot > NowSlot();

    /// <summary>Gives the operation up in that slot unless it is removed before.</summary>
    public void Add(ITimedPoll operation, long slot)
    {
        lock (_lock)
        {
            if (!_slots.TryGetValue(slot, out var operations))
            {
                operations = [];
                _slots.Add(slot, operations);
            }

            operations.Add(operation);
            if (!_isRunning)
            {
                _isRunning = true;
                var period = TimeSpan.FromMilliseconds(SlotMilliseconds);
                _timer.Change(period, period);
            }
        }
    }

    public void Remove(ITimedPoll operation, long slot)
    {
        lock (_lock)
        {
            if (_slots.TryGetValue(slot, out var operations) && operations.Remove(operation) && operations.Count == 0)
            {
                _slots.Remove(slot);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private long NowSlot() => (long)_time.GetElapsedTime(_origin).TotalMilliseconds / SlotMilliseconds;

    private void Run()
    {
        var due = new List<ITimedPoll>();
        lock (_lock)
        {
            var now = NowSlot();
            while (_slots.Count > 0)
            {
                var (slot, operations) = _slots.First();
                if (slot > now)
                {
                    break;
                }

                due.AddRange(operations);
                _slots.Remove(slot);
            }

            if (_slots.Count == 0)
            {
                _isRunning = false;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var operation in due)
        {
            operation.GiveUp();
        }
    }
}
