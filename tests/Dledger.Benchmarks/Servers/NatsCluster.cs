using Dledger.Chaos.Machines;
using Dledger.Testing.Ports;

namespace Dledger.Benchmarks.Servers;

/// <summary>Three nodes of <c>nats-server</c> with JetStream.</summary>
internal sealed class NatsCluster : IServerCluster
{
    private const int NodeCount = 3;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly List<ServerProcess> _nodes = [];

    private NatsCluster(string directory, IReadOnlyDictionary<string, string> addresses)
    {
        _directory = directory;
        Addresses = addresses;
    }

    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    /// <summary>Where clients reach a node, by its name in the cluster.</summary>
    public IReadOnlyDictionary<string, string> Addresses { get; }

    /// <summary>Starts the nodes and waits until each reports itself healthy.</summary>
    /// <param name="program">nats-server.</param>
    /// <param name="syncInterval">Null: as it is by itself.</param>
    /// <param name="storeBytesMax">Most bytes of streams on a node.</param>
    /// <param name="undertaker">Holds the directory, and cleans up if this process dies.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public static async Task<NatsCluster> StartAsync(
        string program, string? syncInterval, long storeBytesMax, Undertaker undertaker, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(undertaker.Directory, $"nats-{Guid.NewGuid():N}")).FullName;
        var ports = LoopbackPorts.Take(NodeCount * 3);
        var configurations = Enumerable.Range(0, NodeCount)
            .Select(i => new NatsConfiguration
            {
                ServerName = $"bench{i + 1}",
                ClientPort = ports[i],
                ClusterPort = ports[NodeCount + i],
                MonitoringPort = ports[(2 * NodeCount) + i],
                Routes = ports[NodeCount..(2 * NodeCount)],
                StoreDirectory = Path.Combine(directory, $"node{i + 1}"),
                StoreBytesMax = storeBytesMax,
                SyncInterval = syncInterval,
            })
            .ToArray();

        var cluster = new NatsCluster(
            directory, configurations.ToDictionary(node => node.ServerName, node => $"nats://127.0.0.1:{node.ClientPort}"));
        try
        {
            foreach (var node in configurations)
            {
                var file = Path.Combine(directory, $"{node.ServerName}.conf");
                await File.WriteAllTextAsync(file, node.Render(), cancellationToken);
                cluster._nodes.Add(ServerProcess.Start(
                    $"nats-server {node.ServerName}",
                    [program, "-c", file],
                    new Dictionary<string, string>(),
                    Path.Combine(directory, $"{node.ServerName}.log"),
                    undertaker));
            }

            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
            await StartUp.WaitAsync(
                cluster,
                StartPatience,
                async () =>
                {
                    var answers = await Task.WhenAll(configurations.Select(node => IsHealthyAsync(client, node.MonitoringPort)));
                    return answers.All(healthy => healthy);
                },
                cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private static async Task<bool> IsHealthyAsync(HttpClient client, int port)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/healthz"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
