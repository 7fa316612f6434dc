using Dledger.Replication.Clocks;
using Dledger.Testing.Clocks;

namespace Dledger.Replication.Tests;

public sealed class LogClockTests
{
    private readonly ManualClock _time = new();

    [Fact]
    public void Log_time_goes_on_from_a_frame_that_is_ahead_of_the_own_clock()
    {
        var clock = new LogClock(_time);
        var ahead = clock.Now() + 3_600_000_000;

        clock.Observe(ahead);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(ahead + 2_000_000, clock.Now());
    }

    [Fact]
    public void Log_time_never_falls_and_returns_to_the_wall_clock_by_one_percent()
    {
        var clock = new LogClock(_time);
        var ahead = clock.Now() + 60_000_000;
        clock.Observe(ahead);
        var last = clock.Now();

        for (var second = 1; second <= 100; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            clock.Reanchor();
            Assert.True(clock.Now() >= last);
            last = clock.Now();
        }

        Assert.Equal(ahead + 100_000_000 - 1_000_000, last);
    }

    [Fact]
    public void A_frame_behind_the_own_clock_changes_nothing()
    {
        var clock = new LogClock(_time);
        _time.Advance(TimeSpan.FromSeconds(10));
        var now = clock.Now();

        Assert.Equal(now, clock.Observe(now - 5_000_000));

        Assert.Equal(now, clock.Now());
    }
}
