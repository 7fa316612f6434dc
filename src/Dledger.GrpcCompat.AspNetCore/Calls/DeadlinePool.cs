using System.Collections.Concurrent;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>Deadlines that no call uses at the moment. Safe for any thread.</summary>
internal sealed class DeadlinePool(TimeProvider time)
{
    /// <summary>More calls than this are seldom in flight; what is beyond is left to the garbage collector.</summary>
    private const int IdleMax = 256;

    private readonly ConcurrentQueue<CallDeadline> _idle = new();
    private int _idleCount;

    public CallDeadline Take()
    {
        if (!_idle.TryDequeue(out var deadline))
        {
            return new CallDeadline(time);
        }

        Interlocked.Decrement(ref _idleCount);
        return deadline;
    }

    /// <summary>Ends the deadline of a call and keeps it for another.</summary>
    public async ValueTask ReturnAsync(CallDeadline deadline)
    {
        if (!await deadline.EndAsync())
        {
            return;
        }

        if (Interlocked.Increment(ref _idleCount) <= IdleMax)
        {
            _idle.Enqueue(deadline);
            return;
        }

        Interlocked.Decrement(ref _idleCount);
        deadline.Discard();
    }
}
