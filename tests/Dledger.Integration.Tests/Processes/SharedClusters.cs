namespace Dledger.Integration.Tests.Processes;

/// <summary>One cluster of one node and one of three, started when first asked for and shared by a class of tests.</summary>
public sealed class SharedClusters : IAsyncLifetime
{
    private readonly Dictionary<int, NodeCluster> _clusters = [];
    private int _names;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var cluster in _clusters.Values)
        {
            await cluster.DisposeAsync();
        }
    }

    internal async Task<NodeCluster> GetAsync(int nodeCount)
    {
        if (!_clusters.TryGetValue(nodeCount, out var cluster))
        {
            cluster = _clusters[nodeCount] = await NodeCluster.StartAsync(nodeCount);
        }

        return cluster;
    }

    /// <summary>A name that no other test of the class uses.</summary>
    internal string NewName(string prefix) => $"{prefix}-{Interlocked.Increment(ref _names)}";
}
