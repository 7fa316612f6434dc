using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Schedules;

/// <summary>
/// The clocks of one process: a monotonic one with an error in its rate, and a wall clock that may jump. Timers end with the
/// process and stand still while it is paused.
/// </summary>
internal sealed class SimulatedTime(EventQueue events, double rate, Func<bool> isAlive, Func<long> pausedUntil) : TimeProvider
{
    // So that log times look like times.
    private static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>By how much the wall clock is wrong, microseconds.</summary>
    public long WallError { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => 1_000_000;

    /// <inheritdoc/>
    public override long GetTimestamp() => (long)(events.Now * rate);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Origin.AddMicroseconds(events.Now + WallError);

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimulatedTimer(SimulatedTime time, Action callback) : ITimer
    {
        private TimeSpan _period;
        private long _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _version++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Plan(dueTime);
            }

            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Plan(TimeSpan delay)
        {
            var version = _version;
            time.Events.After(Math.Max(1, (long)delay.TotalMicroseconds), () => Fire(version));
        }

        private void Fire(long version)
        {
            if (version != _version || !time.IsAlive())
            {
                return;
            }

            if (time.PausedUntil() > time.Events.Now)
            {
                time.Events.At(time.PausedUntil(), () => Fire(version));
                return;
            }

            if (_period != Timeout.InfiniteTimeSpan)
            {
                Plan(_period);
            }

            callback();
        }
    }

    private EventQueue Events => events;

    private bool IsAlive() => isAlive();

    private long PausedUntil() => pausedUntil();
}
