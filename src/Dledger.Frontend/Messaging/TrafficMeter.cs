namespace Dledger.Frontend.Messaging;

/// <summary>Messages per second over the last ten whole seconds. Safe for any thread.</summary>
internal sealed class TrafficMeter(TimeProvider time)
{
    private const int SecondsMax = 10;

    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[SecondsMax + 1];
    private readonly long _start = time.GetTimestamp();
    private long _second;

    public void Add(int count)
    {
        lock (_lock)
        {
            Advance();
            _counts[_second % _counts.Length] += count;
        }
    }

    /// <summary>Zero in the first second.</summary>
    public double PerSecond
    {
        get
        {
            lock (_lock)
            {
                // The second that is under way would make the rate too low.
                Advance();
                var seconds = Math.Min(_second, SecondsMax);
                return seconds == 0 ? 0 : (double)(_counts.Sum() - _counts[_second % _counts.Length]) / seconds;
            }
        }
    }

    private void Advance()
    {
        var now = (long)time.GetElapsedTime(_start).TotalSeconds;
        for (var i = Math.Max(_second + 1, now - SecondsMax); i <= now; i++)
        {
            _counts[i % _counts.Length] = 0;
        }

        _second = Math.Max(_second, now);
    }
}
