using Dledger.Replication.Loops;
using Dledger.Replication.Queues;

namespace Dledger.Replication.Applying;

/// <summary>Does what the state machine leaves to do on the disk, beside the apply loop, one piece at a time.</summary>
internal sealed class DiskWorkLoop(string name, Action<Exception> failed) : ILoop
{
    private Action? _work;
    private volatile bool _isStopping;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>Whether a piece of work waits or runs. Any thread.</summary>
    public bool IsBusy => Volatile.Read(ref _work) is not null;

    /// <summary>Called when a piece of work has ended.</summary>
    public Action? Ended { get; set; }

    /// <summary>Takes a piece of work. The apply loop only, and only while the loop is not busy.</summary>
    public void Begin(Action work)
    {
        Volatile.Write(ref _work, work);
        Signal.Set();
    }

    /// <summary>The last turn follows; what has not begun does not begin any more. Any thread.</summary>
    public void Stop()
    {
        _isStopping = true;
        Signal.Set();
    }

    /// <inheritdoc/>
    public NextTurn Turn()
    {
        if (_isStopping)
        {
            return NextTurn.Never;
        }

        if (Volatile.Read(ref _work) is { } work)
        {
            try
            {
                work();
            }
            catch (Exception fault)
            {
                // Stays busy: whatever it was about is in an unknown state.
                failed(fault);
                return NextTurn.Never;
            }

            Volatile.Write(ref _work, null);
            Ended?.Invoke();
        }

        return NextTurn.After(-1);
    }
}
