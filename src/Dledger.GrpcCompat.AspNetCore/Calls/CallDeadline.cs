namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>The timer of one call: runs the given action at the deadline, then cancels the handler's token.</summary>
internal sealed class CallDeadline : IAsyncDisposable
{
    /// <summary>Timers take less than 2^32 ms; a later deadline is reached in several steps.</summary>
    private static readonly TimeSpan StepMax = TimeSpan.FromDays(40);

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source;
    private readonly Func<ValueTask> _expire;
    private ITimer? _timer;
    private Task _expired = Task.CompletedTask;

    private CallDeadline(TimeProvider time, TimeSpan remaining, CancellationToken aborted, Func<ValueTask> expire)
    {
        _time = time;
        _expire = expire;
        _source = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        var now = time.GetUtcNow().UtcDateTime;
        At = remaining < DateTime.MaxValue - now ? now + remaining : DateTime.MaxValue;
    }

    /// <summary>UTC.</summary>
    public DateTime At { get; }

    public CancellationToken Token => _source.Token;

    public static CallDeadline Start(
        TimeProvider time, TimeSpan remaining, CancellationToken aborted, Func<ValueTask> expire)
    {
        var deadline = new CallDeadline(time, remaining, aborted, expire);
        deadline._timer = time.CreateTimer(
            static state => ((CallDeadline)state!).Fire(),
            deadline,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        deadline._timer.Change(Step(remaining), Timeout.InfiniteTimeSpan);
        return deadline;
    }

    /// <summary>Returns when no action of the timer runs or will run.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer!.DisposeAsync();
        await _expired;
        _source.Dispose();
    }

    private static TimeSpan Step(TimeSpan remaining)
    {
        return remaining < StepMax ? remaining : StepMax;
    }

    private void Fire()
    {
        var remaining = At - _time.GetUtcNow().UtcDateTime;
        if (remaining > TimeSpan.Zero)
        {
            // A timer may fire early by less than its resolution; round up so that it does not spin.
            _timer!.Change(Step(remaining + TimeSpan.FromMilliseconds(1)), Timeout.InfiniteTimeSpan);
            return;
        }

        _expired = ExpireAsync();
    }

    private async Task ExpireAsync()
    {
        // The end of the call is decided when this returns; sending it may take as long as the client's flow control
        // likes, for which the handler does not wait.
        var ending = _expire();
        await _source.CancelAsync();
        try
        {
            await ending;
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone: there is nobody left to tell.
        }
    }
}
