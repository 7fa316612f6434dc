namespace Dledger.GrpcCompat.Client;

/// <summary>Runs an action once at a deadline, however far that is.</summary>
internal sealed class CallTimer : IDisposable
{
    /// <summary>Timers take less than 2^32 ms; a later deadline is reached in several steps.</summary>
    private static readonly TimeSpan StepMax = TimeSpan.FromDays(40);

    private readonly TimeProvider _time;
    private readonly DateTime _deadline;
    private readonly Action _expire;
    private readonly ITimer _timer;

    public CallTimer(TimeProvider time, DateTime deadline, Action expire)
    {
        _time = time;
        _deadline = deadline;
        _expire = expire;
        _timer = time.CreateTimer(
            static state => ((CallTimer)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Step(deadline - time.GetUtcNow().UtcDateTime), Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _timer.Dispose();
    }

    private static TimeSpan Step(TimeSpan remaining)
    {
        return remaining < TimeSpan.Zero ? TimeSpan.Zero : remaining < StepMax ? remaining : StepMax;
    }

    private void Fire()
    {
        var remaining = _deadline - _time.GetUtcNow().UtcDateTime;
        if (remaining > TimeSpan.Zero)
        {
            // A timer may fire early by less than its resolution; round up so that it does not spin.
            _timer.Change(Step(remaining + TimeSpan.FromMilliseconds(1)), Timeout.InfiniteTimeSpan);
            return;
        }

        _expire();
    }
}
