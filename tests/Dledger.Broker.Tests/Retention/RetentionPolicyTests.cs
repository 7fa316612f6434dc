using Dledger.Broker.Retention;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;

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

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, 1000)]
    [InlineData(1000, 1000)]
    [InlineData(1001, 2000)]
    [InlineData(99_999, 4000)]
    public void As_many_whole_files_go_as_the_disk_has_too_many_bytes_but_never_the_last(long excess, int? start)
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.FromHours(72), RetentionDiskPercent = 80 };

        var found = RetentionPolicy.FindStart(Segments, End, 0, options, End, new LogNeeds(null, null, excess));

        Assert.Equal(start, (int?)found?.Value);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(80, 50)]
    [InlineData(85, 0)]
    [InlineData(95, -100)]
    public void The_excess_is_what_lies_above_the_wanted_use_of_the_disk(int percent, long excess) =>
        Assert.Equal(excess, RetentionPolicy.FindExcess(new DiskSpace(1_000, 150), percent));

    [Theory]
    [InlineData(null, 4000)]
    [InlineData(2500, 2000)]
    [InlineData(999, null)]
    public void Age_waits_for_the_messages_of_topics_that_keep_longer(int? kept, int? start)
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.FromHours(1) };
        var needs = new LogNeeds(kept is { } position ? new LogPosition(position) : null, null, 0);

        Assert.Equal(start, (int?)RetentionPolicy.FindStart(Segments, End, 100 * Hour, options, End, needs)?.Value);
        var bySize = options with { RetentionBytes = 1 };
        Assert.Equal(4000, RetentionPolicy.FindStart(Segments, End, 100 * Hour, bySize, End, needs)?.Value);
    }

    [Fact]
    public void Without_age_and_size_everything_is_kept_for_ever()
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.Zero };

        Assert.Null(RetentionPolicy.FindStart(Segments, End, long.MaxValue, options, End));
        Assert.Equal(long.MaxValue, RetentionPolicy.NextExpiry(Segments, options));
    }
}
