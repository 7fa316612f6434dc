namespace Dledger.Bench.Clusters;

/// <summary>Waiting for what a stream will bring, without ending it when nothing comes.</summary>
internal static class StreamWait
{
    /// <summary>False when it does not end in time. Its failure is left to who awaits it.</summary>
    public static async Task<bool> EndsAsync(Task pending, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timer = Task.Delay(wait, ending.Token);
        var first = await Task.WhenAny(pending, timer);
        await ending.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return first == pending;
    }

    /// <summary>Looks at the end of a receive that nobody wants any more.</summary>
    public static async Task ObserveAsync(Task? pending)
    {
        if (pending is not null)
        {
            await pending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
