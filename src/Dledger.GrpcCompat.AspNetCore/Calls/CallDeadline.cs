namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>The timer of one call: runs the call's action at the deadline, then cancels the handler's token.</summary>
/// <remarks>
/// <code>
///   idle ──Start──> armed ──timer──> expired (never used again)
///     ^──EndAsync────┘
/// </code>
/// Timer, token source and registrations are used again by a later call, which is why nobody may keep the token beyond the call. A timer that
/// fires late for a call of before finds another deadline, which is not reached, and waits on.
/// </remarks>
internal sealed class CallDeadline
{
    /// <summary>Timers take less than 2^32 ms; a later deadline is reached in several steps.</summary>
    private static readonly TimeSpan StepMax = TimeSpan.FromDays(40);

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source = new();
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _aborted;
    private ServerCall? _call;
    private Task _expired = Task.CompletedTask;
    private bool _isExpired;

    public CallDeadline(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(
            static state => ((CallDeadline)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>UTC.</summary>
    public DateTime At { get; private set; }

    public CancellationToken Token => _source.Token;

    /// <param name="call">Told when its time is over.</param>
    /// <param name="remaining">Its time.</param>
    /// <param name="aborted">Cancels the handler's token as well.</param>
    public void Start(ServerCall call, TimeSpan remaining, CancellationToken aborted)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        lock (_gate)
        {
            At = remaining < DateTime.MaxValue - now ? now + remaining : DateTime.MaxValue;
            _call = call;
        }

        _aborted = aborted.UnsafeRegister(static state => ((CallDeadline)state!)._source.Cancel(), this);
        _timer.Change(Step(remaining), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Returns when no action of the timer runs or will run. True: another call may use it.</summary>
    public ValueTask<bool> EndAsync()
    {
        bool isExpired;
        lock (_gate)
        {
            _call = null;
            isExpired = _isExpired;
        }

        // Waits for a cancellation that is under way, so that it cannot hit the next call.
        _aborted.Dispose();
        _aborted = default;
        if (!isExpired)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (_source.TryReset())
            {
                return new(true);
            }
        }

        return EndForGoodAsync();
    }

    /// <summary>Not to be used again.</summary>
    public void Discard()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    private static TimeSpan Step(TimeSpan remaining)
    {
        return remaining < StepMax ? remaining : StepMax;
    }

    private async ValueTask<bool> EndForGoodAsync()
    {
        await _timer.DisposeAsync();
        await _expired;
        _source.Dispose();
        return false;
    }

    private void Fire()
    {
        ServerCall call;
        lock (_gate)
        {
            if (_call is null)
            {
                return;
            }

            var remaining = At - _time.GetUtcNow().UtcDateTime;
            if (remaining > TimeSpan.Zero)
            {
                // A timer may fire early by less than its resolution; round up so that it does not spin.
                _timer.Change(Step(remaining + TimeSpan.FromMilliseconds(1)), Timeout.InfiniteTimeSpan);
                return;
            }

            _isExpired = true;
            call = _call;
        }

        _expired = ExpireAsync(call);
    }

    private async Task ExpireAsync(ServerCall call)
    {
        // The end of the call is decided when this returns; sending it may take as long as the client's flow control
        // likes, for which the handler does not wait.
        var ending = call.ExpireAsync();
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
