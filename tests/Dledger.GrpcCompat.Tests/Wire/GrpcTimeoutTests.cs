#if !OFFICIAL_GRPC
using Dledger.GrpcCompat.Wire;

namespace Dledger.GrpcCompat.Tests.Wire;

public sealed class GrpcTimeoutTests
{
    private const long SecondTicks = TimeSpan.TicksPerSecond;

    [Theory]
    [InlineData("1n", 1)]
    [InlineData("100n", 1)]
    [InlineData("101n", 2)]
    [InlineData("0n", 0)]
    [InlineData("7u", 70)]
    [InlineData("2999m", 29_990_000)]
    [InlineData("3S", 3 * SecondTicks)]
    [InlineData("2M", 120 * SecondTicks)]
    [InlineData("1H", 3600 * SecondTicks)]
    [InlineData("00000001S", SecondTicks)]
    public void A_value_of_every_unit_is_read(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Fact]
    public void The_largest_legal_value_is_cut_to_the_longest_wait()
    {
        Assert.True(GrpcTimeout.TryParse("99999999H", out var timeout));
        Assert.Equal(GrpcTimeout.Longest, timeout);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1 S")]
    [InlineData("1s")]
    [InlineData("1.5S")]
    [InlineData("٣S")]
    public void What_is_not_of_the_form_is_refused(string text)
    {
        Assert.False(GrpcTimeout.TryParse(text, out _));
    }

    [Theory]
    [InlineData(-5, "1n")]
    [InlineData(0, "1n")]
    [InlineData(1, "100n")]
    [InlineData(999_999, "99999900n")]
    [InlineData(1_000_000, "100000u")]
    [InlineData(1_000_001, "100001u")]
    [InlineData(999_999_990, "99999999u")]
    [InlineData(999_999_991, "100000m")]
    [InlineData(1_000_000_001, "100001m")]
    [InlineData(100_000 * SecondTicks, "100000S")]
    [InlineData(100_000 * SecondTicks + 1, "100001S")]
    public void Formatting_takes_the_finest_unit_of_eight_digits_and_rounds_up(long ticks, string text)
    {
        Assert.Equal(text, GrpcTimeout.Format(TimeSpan.FromTicks(ticks)));
    }

    [Fact]
    public void The_longest_time_span_becomes_the_largest_legal_value()
    {
        Assert.Equal("99999999H", GrpcTimeout.Format(TimeSpan.MaxValue));
    }

    [Fact]
    public void A_formatted_value_up_to_the_longest_wait_read_back_is_never_shorter()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        for (var round = 0; round < 10_000; round++)
        {
            var ticks = 1 + (long)(random.NextDouble() * Math.Pow(10, 1 + round % 16));
            var timeout = TimeSpan.FromTicks(ticks);

            Assert.True(GrpcTimeout.TryParse(GrpcTimeout.Format(timeout), out var read), $"seed {Seed}, {ticks} ticks");
            Assert.True(read >= timeout, $"seed {Seed}: {ticks} ticks became {read.Ticks}");
        }
    }
}
#endif
