using System.Diagnostics;

namespace Dledger.Bench.Running;

/// <summary>The machine's monotonic clock, with a thread that wakes waiters within some 100 microseconds of their time.</summary>
/// <remarks>
/// Timers of the runtime keep to the millisecond, which is more than a send takes: at a fixed rate they would measure themselves. The
/// thread sleeps in the kernel and never spins: the generator shares its cores with what it measures. Safe for any thread.
/// </remarks>
public sealed class PacingClock : IBenchClock, IDisposable
{
    // Below this the rest is slept by the kernel's precise timer, which nothing can interrupt; above it, where an earlier waiter may come.
    private const long PreciseBelow = 2_000_000;
    private const long CoarseStep = 1_000_000;

    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly object _gate = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiters = new();
    private readonly long _origin = Stopwatch.GetTimestamp();
    private readonly Thread _thread;
    private bool _isStopped;

    public PacingClock()
    {
        _thread = new Thread(Wake) { IsBackground = true, Name = "bench pacing" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public long Now => (long)((Stopwatch.GetTimestamp() - _origin) * NanosecondsPerTick);

    /// <inheritdoc/>
    public ValueTask WaitUntilAsync(long time, CancellationToken cancellationToken)
    {
        if (time <= Now || cancellationToken.IsCancellationRequested)
        {
            return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : ValueTask.CompletedTask;
        }

        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            _waiters.Enqueue(waiter, time);
            Monitor.Pulse(_gate);
        }

        return new ValueTask(waiter.Task.WaitAsync(cancellationToken));
    }

    /// <summary>Whoever still waits is told that it was cancelled.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopped = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
        while (_waiters.TryDequeue(out var waiter, out _))
        {
            waiter.TrySetCanceled();
        }
    }

    private void Wake()
    {
        while (true)
        {
            long rest;
            lock (_gate)
            {
                while (_waiters.TryPeek(out var next, out var time) && time <= Now)
                {
                    _waiters.Dequeue();
                    next.TrySetResult();
                }

                if (_isStopped)
                {
                    return;
                }

                rest = _waiters.TryPeek(out _, out var earliest) ? earliest - Now : long.MaxValue;
                if (rest > PreciseBelow)
                {
                    // Releases the gate meanwhile; a new waiter ends it.
                    Monitor.Wait(_gate, rest == long.MaxValue ? Timeout.Infinite : (int)Math.Min((rest - CoarseStep) / CoarseStep, int.MaxValue));
                    continue;
                }
            }

            KernelTimer.Sleep(rest);
        }
    }
}
