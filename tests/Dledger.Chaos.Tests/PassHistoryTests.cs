using Dledger.Chaos.Features;

namespace Dledger.Chaos.Tests;

public sealed class PassHistoryTests
{
    [Fact]
    public void A_burst_and_a_steady_rate_are_allowed()
    {
        var history = new PassHistory();
        for (var number = 0; number < 10; number++)
        {
            history.Add(At(0), At(0), 1);
        }

        for (var number = 1; number <= 20; number++)
        {
            history.Add(At(0.1 * number), At(0.1 * number), 1);
        }

        Assert.Null(history.FindExcess(rate: 10.1, burst: 10));
    }

    [Fact]
    public void One_more_than_the_burst_is_found_wherever_it_lies()
    {
        var history = new PassHistory();
        history.Add(At(0), At(0), 1);
        history.Add(At(100), At(100), 6);
        history.Add(At(100), At(100.1), 6);

        var excess = history.FindExcess(rate: 10, burst: 10);

        Assert.StartsWith("12 passed within 0.10 s from 100.00 s on", excess, StringComparison.Ordinal);
    }

    [Fact]
    public void What_may_have_passed_before_the_time_does_not_count()
    {
        var history = new PassHistory();
        history.Add(At(0), At(5), 10);
        history.Add(At(4.9), At(5), 10);

        Assert.Null(history.FindExcess(rate: 2, burst: 10));
    }

    [Fact]
    public void Two_leaders_may_let_two_bursts_pass_and_no_more()
    {
        var history = new PassHistory();
        history.Add(At(0), At(0), 10);
        history.Add(At(0.5), At(0.5), 10);

        Assert.NotNull(history.FindExcess(rate: 10, burst: 10));
        Assert.Null(history.FindExcess(rate: 10, burst: 20));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
