using Dledger.Broker.Naming;
using Dledger.Broker.Quotas;

namespace Dledger.Broker.Tests.Quotas;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000;

    [Fact]
    public void A_new_bucket_holds_one_second_and_is_refilled_steadily()
    {
        var bucket = new TokenBucket();

        Assert.Equal(0, bucket.WaitFor(10, 10, now: 0));
        bucket.Take(10);

        Assert.Equal(Second / 10, bucket.WaitFor(10, 1, now: 0));
        Assert.Equal(1, bucket.WaitFor(10, 1, now: (Second / 10) - 1));
        Assert.Equal(0, bucket.WaitFor(10, 1, now: Second / 10));
        Assert.Equal(3, bucket.Count(10, now: (3 * Second / 10) + 50_000));
    }

    [Fact]
    public void No_pause_saves_up_more_than_one_second()
    {
        var bucket = new TokenBucket();
        bucket.Take(1);

        Assert.Equal(10, bucket.Count(10, now: 1_000 * Second));
        Assert.Equal(10, bucket.Count(10, now: 2_000_000_000 * Second));
    }

    [Fact]
    public void What_is_larger_than_the_bucket_passes_when_it_is_full_and_is_paid_for_afterwards()
    {
        var bucket = new TokenBucket();
        Assert.Equal(0, bucket.WaitFor(10, 35, now: 0));

        bucket.Take(35);

        Assert.Equal(0, bucket.Count(10, now: 0));
        Assert.Equal((25 * Second / 10) + (Second / 10), bucket.WaitFor(10, 1, now: 0));
        Assert.Equal(35 * Second / 10, bucket.WaitFor(10, 35, now: 0));
    }

    [Fact]
    public void A_bucket_follows_a_rate_that_changes()
    {
        var bucket = new TokenBucket();
        Assert.Equal(1_000, bucket.Count(1_000, now: 0));

        Assert.Equal(10, bucket.Count(10, now: 0));
        Assert.Equal(10, bucket.Count(1_000, now: 0));
        Assert.Equal(510, bucket.Count(1_000, now: Second / 2));
    }

    [Fact]
    public void What_is_given_back_is_there_again_and_never_more_than_one_second()
    {
        var bucket = new TokenBucket();
        Assert.Equal(5, bucket.Count(5, now: 0));
        bucket.Take(5);

        bucket.GiveBack(5);
        bucket.GiveBack(5);

        Assert.Equal(5, bucket.Count(5, now: 0));
    }

    [Fact]
    public void The_highest_rate_and_the_longest_pause_do_not_overflow()
    {
        var bucket = new TokenBucket();
        Assert.Equal(0, bucket.WaitFor(Limits.QuotaRateMax, long.MaxValue / 2_000_000, now: 0));
        bucket.Take(1L << 40);

        Assert.Equal(Limits.QuotaRateMax, bucket.Count(Limits.QuotaRateMax, now: long.MaxValue / 4));
    }

    /// <summary>Against the definition: in every window at most max(one second, the largest) + rate * its length.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void In_any_window_no_more_passes_than_the_rate_and_one_burst(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var rate = (long)Math.Pow(10, random.NextDouble() * 4);
            var costMax = (int)Math.Pow(10, random.NextDouble() * 5) + 1;
            var bucket = new TokenBucket();
            var passed = new List<(long At, long Cost)>();
            for (long now = 0, i = 0; i < 200; i++, now += random.Next(1, 400_000))
            {
                var cost = random.Next(1, costMax);
                if (bucket.WaitFor(rate, cost, now) == 0)
                {
                    bucket.Take(cost);
                    passed.Add((now, cost));
                }
            }

            for (var from = 0; from < passed.Count; from++)
            {
                long sum = 0, largest = rate;
                for (var to = from; to < passed.Count; to++)
                {
                    sum += passed[to].Cost;
                    largest = Math.Max(largest, passed[to].Cost);
                    var allowed = largest + (rate * (passed[to].At - passed[from].At) / (double)Second);
                    Assert.True(sum <= allowed, $"seed {seed}: {sum} passed at rate {rate}, allowed {allowed}");
                }
            }

            Assert.NotEmpty(passed);
        }
    }

    /// <summary>The hint is right: not a moment earlier, and then indeed.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void After_the_wait_it_passes_and_just_before_it_does_not(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 2_000; round++)
        {
            var rate = random.NextInt64(1, 1L << random.Next(1, 40));
            var bucket = new TokenBucket();
            bucket.WaitFor(rate, 1, now: 0);
            bucket.Take(random.NextInt64(1, 1L << random.Next(1, 30)));
            var cost = random.NextInt64(1, 1L << random.Next(1, 30));

            var wait = bucket.WaitFor(rate, cost, now: 0);

            Assert.True(wait == 0 || bucket.WaitFor(rate, cost, now: wait - 1) == 1);
            Assert.Equal(0, bucket.WaitFor(rate, cost, now: wait));
        }
    }
}
