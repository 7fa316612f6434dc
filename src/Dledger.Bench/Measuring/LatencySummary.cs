namespace Dledger.Bench.Measuring;

/// <summary>The percentiles that are shown, in milliseconds; all 0 when nothing was recorded.</summary>
/// <param name="Count">Values.</param>
/// <param name="Mean">Of them.</param>
/// <param name="P50">Half took no longer.</param>
/// <param name="P90">90 of 100 took no longer.</param>
/// <param name="P99">99 of 100 took no longer.</param>
/// <param name="P999">999 of 1,000 took no longer.</param>
/// <param name="Max">The longest.</param>
public sealed record LatencySummary(long Count, double Mean, double P50, double P90, double P99, double P999, double Max)
{
    private const double NanosecondsPerMillisecond = 1e6;

    public static LatencySummary Of(LatencyHistogram histogram) => new(
        histogram.Count,
        histogram.MeanNanoseconds / NanosecondsPerMillisecond,
        Milliseconds(histogram, 0.5),
        Milliseconds(histogram, 0.9),
        Milliseconds(histogram, 0.99),
        Milliseconds(histogram, 0.999),
        histogram.MaxNanoseconds / NanosecondsPerMillisecond);

    private static double Milliseconds(LatencyHistogram histogram, double share) =>
        histogram.PercentileNanoseconds(share) / NanosecondsPerMillisecond;
}
