using Dledger.Broker.Retention;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Tests.Retention;

public sealed class RetentionPolicyTests
{
    private const long Hour = 3_600_000_000;

    // Files of 1000 bytes; the frame before the n-th is from hour n.
    private static readonly LogSegment[] Segments =
        [.. Enumerable.Range(0, 5).Select(n => new LogSegment(new LogPosition(n * 1000), n * Hour))];

    private static readonly LogPosition End = new(4500);

    [Theory]
    [InlineData(3, 1, 2000)]
    [InlineData(3, 0, 3000)]
    [InlineData(100, 72, 4000)]
    [InlineData(1, 1, null)]
    public void Files_go_once_all_of_them_is_older_than_the_retention_time(int nowHours, int retentionHours, int? start)
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.FromTicks(TimeSpan.FromHours(retentionHours).Ticks + 1) };
        if (retentionHours == 0)
        {
            options = options with { RetentionTime = TimeSpan.FromMicroseconds(1) };
        }

        var found = RetentionPolicy.FindStart(Segments, End, (nowHours * Hour) + 1, options, End);

        Assert.Equal(start, (int?)found?.Value);
    }

    [Theory]
    [InlineData(4500, null)]
    [InlineData(3500, 1000)]
    [InlineData(1000, 3000)]
    [InlineData(1, 4000)]
    public void Files_go_while_what_is_left_has_the_wanted_size(long bytes, int? start)
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.Zero, RetentionBytes = bytes };

        Assert.Equal(start, (int?)RetentionPolicy.FindStart(Segments, End, 0, options, End)?.Value);
    }

    [Theory]
    [InlineData(999, null)]
    [InlineData(1000, 1000)]
    [InlineData(2999, 2000)]
    public void Nothing_behind_the_limit_goes(long limit, int? start)
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.Zero, RetentionBytes = 1 };

        Assert.Equal(start, (int?)RetentionPolicy.FindStart(Segments, End, 0, options, new LogPosition(limit))?.Value);
    }

    [Fact]
    public void Without_age_and_size_everything_is_kept_for_ever()
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.Zero };

        Assert.Null(RetentionPolicy.FindStart(Segments, End, long.MaxValue, options, End));
        Assert.Equal(long.MaxValue, RetentionPolicy.NextExpiry(Segments, options));
    }
}
