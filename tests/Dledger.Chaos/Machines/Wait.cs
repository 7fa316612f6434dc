using System.Diagnostics;

namespace Dledger.Chaos.Machines;

/// <summary>Passing time: a pause of the schedule, or waiting for a condition with a deadline.</summary>
internal static class Wait
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan TimerMin = TimeSpan.FromMilliseconds(1);

    /// <summary>Lets time pass, as the schedule says; less than a timer can measure is nothing.</summary>
    public static async Task ForAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        if (duration >= TimerMin)
        {
            using var timer = new PeriodicTimer(duration);
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Asks until the probe says yes; false when it never did.</summary>
    public static async Task<bool> UntilAsync(
        TimeSpan deadline, Func<Task<bool>> probe, CancellationToken cancellationToken, TimeSpan? step = null)
    {
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(step ?? Step);
        while (!await probe())
        {
            if (watch.Elapsed > deadline)
            {
                return false;
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        return true;
    }

    /// <summary>The same for a probe that answers at once.</summary>
    public static Task<bool> UntilAsync(
        TimeSpan deadline, Func<bool> probe, CancellationToken cancellationToken, TimeSpan? step = null) =>
        UntilAsync(deadline, () => Task.FromResult(probe()), cancellationToken, step);
}
