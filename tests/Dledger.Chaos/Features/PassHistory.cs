namespace Dledger.Chaos.Features;

/// <summary>What passed a quota, and when it may have done so. Safe for any thread.</summary>
internal sealed class PassHistory
{
    private readonly Lock _lock = new();
    private readonly List<(TimeSpan Begun, TimeSpan Ended, int Count)> _passes = [];

    /// <summary>So much passed, at some moment between these two.</summary>
    public void Add(TimeSpan begun, TimeSpan ended, int count)
    {
        lock (_lock)
        {
            _passes.Add((begun, ended, count));
        }
    }

    /// <summary>The first time in which certainly more passed than the burst and the rate times that time; null when there is none.
    /// </summary>
    /// <param name="rate">A second.</param>
    /// <param name="burst">What may pass at once: that of each leader.</param>
    public string? FindExcess(double rate, long burst)
    {
        lock (_lock)
        {
            var byEnd = _passes.OrderBy(pass => pass.Ended).ToList();
            foreach (var begin in _passes.Select(pass => pass.Begun).Distinct().Order())
            {
                var sum = 0L;
                foreach (var (_, ended, count) in byEnd.Where(pass => pass.Begun >= begin))
                {
                    sum += count;
                    if (sum > burst + (rate * (ended - begin).TotalSeconds))
                    {
                        return $"{sum} passed within {(ended - begin).TotalSeconds:F2} s from {begin.TotalSeconds:F2} s on, "
                            + $"{burst} and {rate:F1} a second are allowed";
                    }
                }
            }

            return null;
        }
    }
}
