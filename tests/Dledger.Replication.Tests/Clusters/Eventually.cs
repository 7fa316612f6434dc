namespace Dledger.Replication.Tests.Clusters;

/// <summary>Waits for a condition with a deadline.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Returns once the condition holds; fails with what was waited for.</summary>
    public static async Task TrueAsync(Func<bool> condition, string what, Func<string>? details = null)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience,
                $"not within {Patience}: {what}. {details?.Invoke()}");
            await timer.WaitForNextTickAsync();
        }
    }
}
