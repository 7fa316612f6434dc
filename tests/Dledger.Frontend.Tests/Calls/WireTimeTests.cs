using Dledger.Frontend.Calls;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Frontend.Tests.Calls;

public sealed class WireTimeTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(1_764_000_000_123_456)]
    [InlineData(-62_135_596_800_000_000)]
    public void Microseconds_survive_the_way_over_the_wire(long microseconds) =>
        Assert.Equal(microseconds, WireTime.ToMicroseconds(WireTime.ToTimestamp(microseconds)));

    [Theory]
    [InlineData(long.MaxValue, int.MaxValue)]
    [InlineData(long.MinValue, int.MinValue)]
    [InlineData(0, -5)]
    public void Times_that_no_clock_shows_are_clamped_and_never_throw(long seconds, int nanos)
    {
        var time = WireTime.ToTimestamp(WireTime.ToMicroseconds(new Timestamp { Seconds = seconds, Nanos = nanos }));

        Assert.InRange(time.Seconds, -62_135_596_800, 253_402_300_799);
        Assert.InRange(time.Nanos, 0, 999_999_999);
    }

    [Theory]
    [InlineData(1, 500_000_000, 1.5)]
    [InlineData(-1, -500_000_000, -1.5)]
    [InlineData(0, 2_000_000, 0.002)]
    public void Durations_become_time_spans(long seconds, int nanos, double expected) =>
        Assert.Equal(expected, WireTime.ToTimeSpan(new Duration { Seconds = seconds, Nanos = nanos }).TotalSeconds);

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Durations_that_no_time_span_holds_are_clamped(long seconds)
    {
        var span = WireTime.ToTimeSpan(new Duration { Seconds = seconds });

        Assert.True(Math.Abs(span.TotalDays) > 1_000_000);
    }
}
