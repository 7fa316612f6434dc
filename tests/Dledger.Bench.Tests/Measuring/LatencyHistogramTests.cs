using Dledger.Bench.Measuring;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Bench.Tests.Measuring;

public sealed class LatencyHistogramTests
{
    private const double ErrorMax = 1.0 / 256;
    private static readonly double[] Shares = [0, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

    [Fact]
    public void Percentiles_are_those_of_sorting_within_the_width_of_a_bucket()
    {
        Prop.ForAll(Latencies(), values =>
        {
            var histogram = Recorded(values);
            var sorted = values.Order().ToArray();
            foreach (var share in Shares)
            {
                var exact = sorted[Math.Max((int)Math.Ceiling(share * sorted.Length), 1) - 1];
                var read = histogram.PercentileNanoseconds(share);
                Assert.InRange(read, exact, exact + (long)(exact * ErrorMax));
            }

            Assert.Equal(sorted.Length, histogram.Count);
            Assert.Equal(sorted[^1], histogram.MaxNanoseconds);
            Assert.Equal(sorted.Average(), histogram.MeanNanoseconds, tolerance: 1);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Merged_histograms_are_like_one_that_recorded_everything()
    {
        Prop.ForAll(Latencies(), Latencies(), (first, second) =>
        {
            var merged = LatencyHistogram.Merge([Recorded(first), Recorded(second)]);
            var whole = Recorded([.. first, .. second]);

            Assert.Equal(LatencySummary.Of(whole), LatencySummary.Of(merged));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_was_recorded_since_a_copy_is_what_came_behind_it()
    {
        Prop.ForAll(Latencies(), Latencies(), (first, second) =>
        {
            var histogram = Recorded(first);
            var earlier = LatencyHistogram.Merge([histogram]);
            foreach (var value in second)
            {
                histogram.Record(value);
            }

            var recent = histogram.Since(earlier);

            var alone = Recorded(second);
            Assert.Equal(second.Length, recent.Count);
            Assert.InRange(
                recent.PercentileNanoseconds(0.5),
                alone.PercentileNanoseconds(0.5),
                (long)(alone.PercentileNanoseconds(0.5) * (1 + ErrorMax)));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(511, 511)]
    [InlineData(512, 512)]
    [InlineData((1L << 42) - 1, (1L << 42) - 1)]
    [InlineData(long.MaxValue, (1L << 42) - 1)]
    public void A_value_outside_of_the_range_counts_as_the_nearest_inside(long value, long counted)
    {
        var histogram = Recorded([value]);

        Assert.Equal(1, histogram.Count);
        Assert.Equal(counted, histogram.MaxNanoseconds);
        Assert.Equal(counted, histogram.PercentileNanoseconds(0.99));
    }

    [Fact]
    public void An_empty_histogram_answers_zero() =>
        Assert.Equal(new LatencySummary(0, 0, 0, 0, 0, 0, 0), LatencySummary.Of(new LatencyHistogram()));

    [Fact]
    public void Recording_allocates_nothing()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1_000; i++)
        {
            histogram.Record(i * 7_919L);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static LatencyHistogram Recorded(IEnumerable<long> values)
    {
        var histogram = new LatencyHistogram();
        foreach (var value in values)
        {
            histogram.Record(value);
        }

        return histogram;
    }

    /// <summary>At least one value; of all magnitudes from a nanosecond to an hour.</summary>
    private static Arbitrary<long[]> Latencies() => Arb.From(
        (from magnitude in Gen.Choose(0, 41)
         from part in Gen.Choose(0, int.MaxValue)
         select (long)((1L << magnitude) * (1 + (part / (double)int.MaxValue)))).NonEmptyListOf().Select(list => list.ToArray()));
}
