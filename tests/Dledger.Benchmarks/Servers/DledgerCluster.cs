using System.Text.Json;
using Dledger.Chaos.Machines;
using Dledger.Testing.Ports;

namespace Dledger.Benchmarks.Servers;

/// <summary>Nodes of the built <c>dledger</c> executable.</summary>
internal sealed class DledgerCluster : IServerCluster
{
    private readonly string _directory;
    private readonly List<ServerProcess> _nodes = [];

    private DledgerCluster(string directory, IReadOnlyList<string> addresses)
    {
        _directory = directory;
        Addresses = addresses;
    }

    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    /// <summary>Where clients reach the nodes.</summary>
    public IReadOnlyList<string> Addresses { get; }

    /// <summary>Starts the nodes and returns at once; they answer when they have elected a leader.</summary>
    /// <param name="executable">The program.</param>
    /// <param name="nodeCount">1 or 3.</param>
    /// <param name="flushMode">QUORUM_SYNC or QUORUM_ASYNC.</param>
    /// <param name="undertaker">Holds the directory, and cleans up if this process dies.</param>
    public static DledgerCluster Start(string executable, int nodeCount, string flushMode, Undertaker undertaker)
    {
        var directory = Directory.CreateDirectory(Path.Combine(undertaker.Directory, $"dledger-{Guid.NewGuid():N}")).FullName;
        var ports = LoopbackPorts.Take(nodeCount * 2);
        var nodes = Enumerable.Range(0, nodeCount)
            .Select(i => new
            {
                id = i + 1,
                host = "127.0.0.1",
                peerPort = ports[i],
                clientHost = "127.0.0.1",
                clientPort = ports[nodeCount + i],
            })
            .ToArray();

        var cluster = new DledgerCluster(directory, [.. nodes.Select(node => $"http://127.0.0.1:{node.clientPort}")]);
        foreach (var node in nodes)
        {
            var configuration = Path.Combine(directory, $"node{node.id}.json");
            File.WriteAllText(configuration, JsonSerializer.Serialize(new
            {
                nodeId = node.id,
                dataDirectory = Path.Combine(directory, $"data{node.id}"),
                peerListenAddress = "127.0.0.1",
                nodes,
                client = new { listenAddress = "127.0.0.1" },
                storage = new { flushMode, segmentSize = "256MiB" },
                topics = new { autoCreate = true },
            }));
            cluster._nodes.Add(ServerProcess.Start(
                $"dledger node {node.id}",
                [executable, "serve", "--config", configuration],
                new Dictionary<string, string>(),
                Path.Combine(directory, $"node{node.id}.log"),
                undertaker));
        }

        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }
}
