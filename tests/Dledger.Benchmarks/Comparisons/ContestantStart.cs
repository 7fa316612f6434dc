using Dledger.Bench.Targets;
using Dledger.Benchmarks.Servers;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>Starts the nodes of a system and waits until they take messages.</summary>
internal static class ContestantStart
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(300);
    private static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(60);

    /// <remarks>
    /// Twice if need be: nodes that start at the same moment on busy cores do not always find each other, which says nothing of what they
    /// do afterwards.
    /// </remarks>
    /// <exception cref="ServerException">They do not start, or take no messages.</exception>
    public static async Task<(IServerCluster Cluster, IBenchTarget Target)> RunAsync(
        Contestant contestant, TextWriter progress, CancellationToken cancellationToken)
    {
        try
        {
            return await StartAsync(contestant, cancellationToken);
        }
        catch (ServerException exception)
        {
            await progress.WriteLineAsync($"  {contestant.Title}: started again, since: {exception.Message}");
            return await StartAsync(contestant, cancellationToken);
        }
    }

    private static async Task<(IServerCluster Cluster, IBenchTarget Target)> StartAsync(
        Contestant contestant, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartPatience);
        IServerCluster? cluster = null;
        try
        {
            cluster = await contestant.StartAsync(limit.Token);
            return (cluster, await OpenAsync(contestant, cluster, limit.Token));
        }
        catch (Exception exception)
        {
            if (cluster is not null)
            {
                await cluster.DisposeAsync();
            }

            if (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new ServerException($"not started within {StartPatience.TotalSeconds:0} s", exception);
            }

            throw;
        }
    }

    // The nodes answer before they have a leader, or before all of them have met: the first topic is tried until it can be made.
    private static async Task<IBenchTarget> OpenAsync(
        Contestant contestant, IServerCluster cluster, CancellationToken cancellationToken)
    {
        Exception? last = null;
        IBenchTarget? opened = null;
        var isReady = await Wait.UntilAsync(
            ReadyPatience,
            async () =>
            {
                StartUp.AssertRunning(cluster);
                IBenchTarget? target = null;
                try
                {
                    target = await contestant.OpenAsync(cluster, cancellationToken);
                    await target.PrepareAsync(new BenchLayout(1, 1), cancellationToken);
                    await target.DestroyAsync(cancellationToken);
                    opened = target;
                    return true;
                }
                catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
                {
                    last = exception;
                    if (target is not null)
                    {
                        await target.DisposeAsync();
                    }

                    return false;
                }
            },
            cancellationToken);
        return isReady ? opened! : throw new ServerException($"no topic can be made: {last?.Message}", last);
    }
}
