using System.Numerics;

namespace Dledger.Bench.Measuring;

/// <summary>Counts latencies so that any percentile can be read off with an error below 0.4 %. Safe for any thread.</summary>
/// <remarks>
/// Log-linear, as HdrHistogram has it: values up to 511 ns have a bucket each, and every further power of two is cut into 256 equal
/// buckets. 70 KiB whatever is recorded, and recording allocates nothing. What is longer than 73 minutes counts as that.
/// </remarks>
public sealed class LatencyHistogram
{
    private const int PrecisionBits = 8;
    private const int ValueBits = 42;
    private const int LinearCount = 2 << PrecisionBits;
    private const long ValueMax = (1L << ValueBits) - 1;
    private const int BucketCount = (ValueBits - PrecisionBits + 1) << PrecisionBits;

    private readonly long[] _counts = new long[BucketCount];
    private long _sum;
    private long _max;

    /// <summary>Values recorded.</summary>
    public long Count
    {
        get
        {
            var count = 0L;
            for (var i = 0; i < _counts.Length; i++)
            {
                count += Volatile.Read(ref _counts[i]);
            }

            return count;
        }
    }

    /// <summary>The largest value, exactly; 0 when there is none.</summary>
    public long MaxNanoseconds => Volatile.Read(ref _max);

    /// <summary>Their mean; 0 when there is none.</summary>
    public double MeanNanoseconds => Count is var count && count == 0 ? 0 : Volatile.Read(ref _sum) / (double)count;

    /// <param name="nanoseconds">A negative one, of a clock that was read twice on two cores, counts as 0.</param>
    public void Record(long nanoseconds)
    {
        var value = Math.Clamp(nanoseconds, 0, ValueMax);
        Interlocked.Increment(ref _counts[IndexOf(value)]);
        Interlocked.Add(ref _sum, value);
        RaiseMax(value);
    }

    /// <summary>Adds what another one has.</summary>
    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            if (Volatile.Read(ref other._counts[i]) is var count && count > 0)
            {
                Interlocked.Add(ref _counts[i], count);
            }
        }

        Interlocked.Add(ref _sum, Volatile.Read(ref other._sum));
        RaiseMax(other.MaxNanoseconds);
    }

    /// <summary>What was recorded since an earlier copy; its maximum is that of the highest bucket.</summary>
    public LatencyHistogram Since(LatencyHistogram earlier)
    {
        var difference = new LatencyHistogram();
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] - earlier._counts[i] is var count && count > 0)
            {
                difference._counts[i] = count;
                difference._max = Math.Min(HighestOf(i), _max);
            }
        }

        difference._sum = _sum - earlier._sum;
        return difference;
    }

    /// <summary>All of them together.</summary>
    public static LatencyHistogram Merge(IEnumerable<LatencyHistogram> histograms)
    {
        var all = new LatencyHistogram();
        foreach (var histogram in histograms)
        {
            all.Add(histogram);
        }

        return all;
    }

    /// <summary>The latency that a share of the values did not exceed, rounded up to the end of its bucket; 0 without values.</summary>
    /// <param name="share">0 to 1, such as 0.99.</param>
    public long PercentileNanoseconds(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        for (var i = 0; i < _counts.Length; i++)
        {
            rank -= Volatile.Read(ref _counts[i]);
            if (rank <= 0)
            {
                return Math.Min(HighestOf(i), MaxNanoseconds);
            }
        }

        return MaxNanoseconds;
    }

    private static int IndexOf(long value)
    {
        if (value < LinearCount)
        {
            return (int)value;
        }

        var shift = BitOperations.Log2((ulong)value) - PrecisionBits;
        return (shift << PrecisionBits) + (int)(value >> shift);
    }

    private static long HighestOf(int index)
    {
        if (index < LinearCount)
        {
            return index;
        }

        var shift = (index >> PrecisionBits) - 1;
        return ((long)(index - (shift << PrecisionBits) + 1) << shift) - 1;
    }

    private void RaiseMax(long value)
    {
        for (var known = Volatile.Read(ref _max); value > known;)
        {
            var found = Interlocked.CompareExchange(ref _max, value, known);
            if (found == known)
            {
                return;
            }

            known = found;
        }
    }
}
