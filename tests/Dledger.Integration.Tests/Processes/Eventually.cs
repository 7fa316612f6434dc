using System.Diagnostics;

namespace Dledger.Integration.Tests.Processes;

/// <summary>Waits on a condition with a deadline; there is no other waiting in these tests.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks until the answer is not null.</summary>
    /// <exception cref="TimeoutException">It stayed null.</exception>
    public static async Task<T> FindAsync<T>(string what, TimeSpan deadline, Func<Task<T?>> probe)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Step);
        while (true)
        {
            if (await probe() is { } found)
            {
                return found;
            }

            if (watch.Elapsed > deadline)
            {
                throw new TimeoutException($"{what}: not within {deadline.TotalSeconds:0} s");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Asks until it is true.</summary>
    /// <exception cref="TimeoutException">It stayed false.</exception>
    public static Task TrueAsync(string what, TimeSpan deadline, Func<Task<bool>> probe) =>
        FindAsync(what, deadline, async () => await probe() ? what : null);
}
