namespace Dledger.Replication.Queues;

/// <summary>Wakes one sleeping thread. Setting it costs one atomic exchange while the thread is awake.</summary>
internal sealed class WakeSignal
{
    private const int Awake = 0;
    private const int Signalled = 1;
    private const int Sleeping = 2;

    private readonly AutoResetEvent _event = new(false);
    private int _state;

    /// <summary>Lets the present or next <see cref="Wait"/> return. Any thread.</summary>
    public void Set()
    {
        // What was added before must be visible before the state is read, or a sleeper could miss it.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _state) != Signalled && Interlocked.Exchange(ref _state, Signalled) == Sleeping)
        {
            _event.Set();
        }
    }

    /// <summary>Whether <see cref="Set"/> was called since the last return of this or of <see cref="Wait"/>. Only the owner.</summary>
    public bool TryTake() =>
        Volatile.Read(ref _state) == Signalled && Interlocked.Exchange(ref _state, Awake) == Signalled;

    /// <summary>
    /// Sleeps until <see cref="Set"/> was called since the last return, at most <paramref name="milliseconds"/>
    /// (-1: without limit). May return early. Only the owning thread.
    /// </summary>
    public void Wait(int milliseconds)
    {
        if (milliseconds != 0 && Interlocked.CompareExchange(ref _state, Sleeping, Awake) == Awake)
        {
            _event.WaitOne(milliseconds);
        }

        Interlocked.Exchange(ref _state, Awake);
    }
}
