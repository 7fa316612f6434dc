namespace Dledger.Bench.Running;

/// <summary>Hands out sends to workers: their numbers and, at a fixed rate, the moments at which they should begin. Safe for any thread.</summary>
/// <remarks>
/// A moment is given out whether or not somebody is free at it. When all workers hang on a stalled system the moments pass, and the
/// sends that come late to them have waited since: the stall is in the latencies, not left out of them (coordinated omission).
/// </remarks>
internal sealed class SendSchedule(LoadWindow window, double? callsPerSecond, long countMax)
{
    private long _taken;

    /// <summary>Sends given out.</summary>
    public long Taken => Math.Min(Volatile.Read(ref _taken), countMax);

    /// <summary>False when the count is used up, or the next moment lies behind the end of the window.</summary>
    /// <param name="now">When a send without a moment begins.</param>
    /// <param name="number">Of the send, from 0.</param>
    /// <param name="intended">When it should begin.</param>
    public bool TryTake(long now, out long number, out long intended)
    {
        number = Interlocked.Increment(ref _taken) - 1;
        intended = callsPerSecond is { } rate ? MomentOf(number, rate) : now;
        return number < countMax && intended < window.End;
    }

    /// <summary>Moments that have come and were given to nobody; each is taken by this.</summary>
    public IEnumerable<long> TakeRest(long now)
    {
        while (callsPerSecond is not null && TryTake(now, out _, out var intended) && intended <= now)
        {
            yield return intended;
        }
    }

    private long MomentOf(long number, double rate) => window.Begin + (long)(number * (1e9 / rate));
}
