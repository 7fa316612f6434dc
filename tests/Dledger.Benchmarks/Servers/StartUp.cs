using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Servers;

/// <summary>Waiting until servers are ready, and saying what is wrong when they are not.</summary>
internal static class StartUp
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    /// <summary>Asks until the probe says yes.</summary>
    /// <exception cref="ServerException">A node has ended, or it takes too long; with the last lines of the nodes.</exception>
    public static async Task WaitAsync(
        IServerCluster cluster, TimeSpan patience, Func<Task<bool>> probe, CancellationToken cancellationToken)
    {
        var isReady = false;
        await Wait.UntilAsync(
            patience,
            async () =>
            {
                AssertRunning(cluster);
                return isReady = await probe();
            },
            cancellationToken,
            Step);
        if (!isReady)
        {
            var tails = string.Join('\n', cluster.Nodes.Select(node => $"{node.Name}: {node.LogTail(2)}"));
            throw new ServerException($"not ready within {patience.TotalSeconds:0} s\n{tails}");
        }
    }

    /// <exception cref="ServerException">A node has ended.</exception>
    public static void AssertRunning(IServerCluster cluster)
    {
        if (cluster.Nodes.FirstOrDefault(node => !node.IsRunning) is { } ended)
        {
            throw new ServerException($"{ended.Name} has ended: {ended.LogTail()}");
        }
    }
}
