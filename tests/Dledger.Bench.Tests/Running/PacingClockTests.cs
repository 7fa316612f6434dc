using Dledger.Bench.Running;

namespace Dledger.Bench.Tests.Running;

public sealed class PacingClockTests
{
    private const long Millisecond = SimulatedClock.Millisecond;

    [Fact]
    public async Task Nobody_is_woken_before_his_time_whoever_came_first()
    {
        using var clock = new PacingClock();
        var begin = clock.Now;
        long[] waits = [30, 5, 50, 1, 20, 5];

        var ends = await Task.WhenAll(waits.Select(async wait =>
        {
            await clock.WaitUntilAsync(begin + (wait * Millisecond), CancellationToken.None);
            return clock.Now - begin;
        }));

        Assert.All(waits.Zip(ends), pair => Assert.InRange(pair.Second, pair.First * Millisecond, long.MaxValue));
    }

    [Fact]
    public async Task A_moment_that_is_over_is_not_waited_for()
    {
        using var clock = new PacingClock();

        var waiting = clock.WaitUntilAsync(clock.Now - 1, CancellationToken.None);

        Assert.True(waiting.IsCompletedSuccessfully);
        await waiting;
    }

    [Fact]
    public async Task A_cancelled_wait_ends_at_once()
    {
        using var clock = new PacingClock();
        using var cancellation = new CancellationTokenSource();
        var waiting = clock.WaitUntilAsync(clock.Now + (3_600 * SimulatedClock.Second), cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
    }

    [Fact]
    public async Task Who_waits_when_the_clock_is_closed_is_told()
    {
        var clock = new PacingClock();
        var waiting = clock.WaitUntilAsync(clock.Now + (3_600 * SimulatedClock.Second), CancellationToken.None);

        clock.Dispose();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
    }
}
