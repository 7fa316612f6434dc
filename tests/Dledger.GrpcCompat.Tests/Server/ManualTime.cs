namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>A clock that stands until the test moves it; timers run on the thread that does.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The time that each armed timer has left, longest wait first.</summary>
    public IReadOnlyList<TimeSpan> Armed
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _timers.Where(timer => timer.Due is not null)
                        .Select(timer => timer.Due!.Value - _now)
                        .OrderDescending(),
                ];
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        lock (_gate)
        {
            _timers.Add(timer);
        }

        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        lock (_gate)
        {
            _now += by;
        }

        while (TakeDue() is { } timer)
        {
            timer.Fire();
        }
    }

    private ManualTimer? TakeDue()
    {
        lock (_gate)
        {
            var timer = _timers.Find(candidate => candidate.Due <= _now);
            if (timer is not null)
            {
                timer.Due = null;
            }

            return timer;
        }
    }

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public void Fire()
        {
            fire();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            // The real timers refuse what does not fit into 32 bits of milliseconds.
            ArgumentOutOfRangeException.ThrowIfGreaterThan(dueTime.TotalMilliseconds, uint.MaxValue - 1d);
            lock (time._gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
