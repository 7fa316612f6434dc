using System.Collections.Concurrent;

namespace Dledger.Frontend.Forwarding;

/// <summary>A token that is cancelled when a call's time is over or its caller has gone. Owned by one call, then used again.</summary>
/// <remarks>Nobody may keep the token beyond the call: it would hear of the end of another one.</remarks>
internal sealed class CallLimit : IDisposable
{
    /// <summary>More calls than this are seldom in flight; what is beyond is left to the garbage collector.</summary>
    private const int IdleMax = 256;

    private static readonly ConcurrentQueue<CallLimit> Idle = new();
    private static int _idleCount;

    private readonly CancellationTokenSource _source = new();
    private CancellationTokenRegistration _caller;

    private CallLimit()
    {
    }

    public CancellationToken Token => _source.Token;

    public static CallLimit Of(Patience patience, CancellationToken caller)
    {
        if (Idle.TryDequeue(out var limit))
        {
            Interlocked.Decrement(ref _idleCount);
        }
        else
        {
            limit = new CallLimit();
        }

        limit._caller = caller.UnsafeRegister(static state => ((CallLimit)state!)._source.Cancel(), limit);
        limit._source.CancelAfter(patience.Remaining);
        return limit;
    }

    /// <summary>Ends it, once.</summary>
    public void Dispose()
    {
        // Waits for a cancellation that is under way, so that it cannot hit the next call.
        _caller.Dispose();
        _caller = default;
        if (!_source.TryReset())
        {
            _source.Dispose();
            return;
        }

        if (Interlocked.Increment(ref _idleCount) <= IdleMax)
        {
            Idle.Enqueue(this);
            return;
        }

        Interlocked.Decrement(ref _idleCount);
        _source.Dispose();
    }
}
