namespace Dledger.Conformance.Tests.Nodes;

/// <summary>Three nodes of the built program, shared by the classes whose items need several. Nobody kills one of them.</summary>
public sealed class SharedNodes : IAsyncLifetime
{
    private static readonly SharedCluster Three = new(3);

    private readonly List<TestClient> _clients = [];

    internal NodeCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await Three.TakeAsync();

    public async Task DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await Three.ReturnAsync();
    }

    internal async Task<TestClient> LeaderAsync()
    {
        var leader = await Eventually.FindAsync("a leader", TimeSpan.FromSeconds(60), Cluster.FindLeaderAsync);
        return ClientOf(leader);
    }

    internal async Task<TestClient> FollowerAsync()
    {
        var leader = await Eventually.FindAsync("a leader", TimeSpan.FromSeconds(60), Cluster.FindLeaderAsync);
        return ClientOf(Cluster.Nodes.First(node => node.IsRunning && node.Id != leader.Id));
    }

    internal TestClient ClientOf(NodeProcess node)
    {
        var client = new TestClient(node.ClientPort, Unique.Name("client"));
        _clients.Add(client);
        return client;
    }
}
