using System.Runtime.CompilerServices;

namespace Dledger.Replication.Queues;

/// <summary>Wakes one sleeping thread. Setting it costs one atomic exchange while the thread is awake.</summary>
internal sealed unsafe class WakeSignal
{
    private const int Awake = 0;
    private const int Signalled = 1;
    private const int Sleeping = 2;

    // Where there is no futex an event does the sleeping.
    private readonly AutoResetEvent? _event = Futex.IsThere ? null : new(false);

    // In an array that does not move, so that the kernel can look at it.
    private readonly int[] _word = GC.AllocateArray<int>(1, pinned: true);

    private ref int State => ref _word[0];

    /// <summary>Lets the present or next <see cref="Wait"/> return. Any thread.</summary>
    public void Set()
    {
        // What was added before must be visible before the state is read, or a sleeper could miss it.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref State) == Signalled || Interlocked.Exchange(ref State, Signalled) != Sleeping)
        {
            return;
        }

        if (_event is { } sleeper)
        {
            sleeper.Set();
        }
        else
        {
            Futex.WakeOne((int*)Unsafe.AsPointer(ref State));
        }
    }

    /// <summary>Whether <see cref="Set"/> was called since the last return of this or of <see cref="Wait"/>. Only the owner.</summary>
    public bool TryTake() =>
        Volatile.Read(ref State) == Signalled && Interlocked.Exchange(ref State, Awake) == Signalled;

    /// <summary>
    /// Sleeps until <see cref="Set"/> was called since the last return, at most <paramref name="milliseconds"/>
    /// (-1: without limit). May return early. Only the owning thread.
    /// </summary>
    public void Wait(int milliseconds)
    {
        if (milliseconds != 0 && Interlocked.CompareExchange(ref State, Sleeping, Awake) == Awake)
        {
            if (_event is { } sleeper)
            {
                sleeper.WaitOne(milliseconds);
            }
            else
            {
                Futex.Wait((int*)Unsafe.AsPointer(ref State), Sleeping, milliseconds);
            }
        }

        Interlocked.Exchange(ref State, Awake);
    }
}
