namespace Dledger.Broker.Tests.Simulation;

/// <summary>Runs the continuations of broker calls on the test's thread, in order.</summary>
internal sealed class CallLoop : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new();

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_posted)
        {
            _posted.Enqueue((d, state));
        }
    }

    /// <summary>Runs an action as if it were a call of this loop.</summary>
    public T Run<T>(Func<T> action)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            return action();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    /// <summary>Runs what was posted; false when there was nothing.</summary>
    public bool Drain() => Run(() =>
    {
        var any = false;
        while (TryTake(out var next))
        {
            any = true;
            next.Callback(next.State);
        }

        return any;
    });

    private bool TryTake(out (SendOrPostCallback Callback, object? State) next)
    {
        lock (_posted)
        {
            return _posted.TryDequeue(out next);
        }
    }
}
