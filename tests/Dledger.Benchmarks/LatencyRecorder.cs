namespace Dledger.Benchmarks;

/// <summary>Latencies of one worker in ticks of 100 ns, kept whole: a run is bounded, so exact percentiles cost little.</summary>
internal sealed class LatencyRecorder
{
    private readonly List<long> _ticks = new(1 << 16);

    public void Record(TimeSpan latency) => _ticks.Add(latency.Ticks);

    /// <summary>All recorders' latencies in ascending order.</summary>
    public static long[] Merge(IEnumerable<LatencyRecorder> recorders)
    {
        var all = recorders.SelectMany(recorder => recorder._ticks).ToArray();
        Array.Sort(all);
        return all;
    }

    /// <summary>The latency that a share of the calls did not exceed, in milliseconds.</summary>
    public static double Percentile(long[] sortedTicks, double share)
    {
        if (sortedTicks.Length == 0)
        {
            return double.NaN;
        }

        var index = Math.Clamp((int)Math.Ceiling(share * sortedTicks.Length) - 1, 0, sortedTicks.Length - 1);
        return sortedTicks[index] / (double)TimeSpan.TicksPerMillisecond;
    }
}
