namespace Dledger.Bench.Running;

/// <summary>When the loads of a phase begin, from when on they are measured, and when they end. Safe for any thread.</summary>
public sealed class LoadWindow(long begin, long measuredFrom, long end)
{
    private long _end = end;

    public long Begin { get; } = begin;

    /// <summary>What begins before this is the warm-up and is not counted.</summary>
    public long MeasuredFrom { get; } = measuredFrom;

    /// <summary>Nothing begins from here on; what is under way is waited for.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Ends it now, if that is earlier.</summary>
    public void Close(long now)
    {
        for (var known = End; now < known;)
        {
            var found = Interlocked.CompareExchange(ref _end, now, known);
            if (found == known)
            {
                return;
            }

            known = found;
        }
    }
}
