using System.Diagnostics;
using Dledger.Client.Connections;
using Dledger.Primitives;
using Dledger.Server.Options;
using Dledger.Testing.Ports;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Server.Tests.Wire;

/// <summary>Three nodes in one process, on loopback, each with a directory of its own.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"dledger-cluster-{Guid.NewGuid():N}");
    private readonly PortLease _ports = LoopbackPorts.Lease(6);
    private readonly NodeAddress[] _addresses;
    private readonly Dictionary<int, DledgerServer> _servers = [];
    private readonly List<TestClient> _clients = [];

    private TestCluster()
    {
        _addresses = [.. Enumerable.Range(1, 3).Select(number => new NodeAddress(
            new NodeId(number), "127.0.0.1", _ports.Ports[number - 1], "127.0.0.1", _ports.Ports[number + 2]))];
    }

    public static async Task<TestCluster> StartAsync()
    {
        var cluster = new TestCluster();
        await Task.WhenAll(Enumerable.Range(1, 3).Select(cluster.StartNodeAsync));
        await cluster.LeaderAsync();
        return cluster;
    }

    public IEnumerable<int> Running => _servers.Keys.Order();

    public DledgerServer Server(int node) => _servers[node];

    /// <summary>A client that talks to this node.</summary>
    public TestClient Client(int node, string language = "JAVA")
    {
        var client = new TestClient(PortOf(node), $"host@{node}@0@{language}", language);
        _clients.Add(client);
        return client;
    }

    /// <summary>The .NET client, patient, which is told of these nodes only.</summary>
    public DledgerChannel ChannelTo(IEnumerable<int> nodes) => new(new DledgerChannelOptions
    {
        Addresses = [.. nodes.Select(node => $"127.0.0.1:{PortOf(node)}")],
        RetryTimeout = Patience,
    });

    public int PortOf(int node) => _addresses[node - 1].ClientPort;

    public async Task StartNodeAsync(int node)
    {
        var server = await DledgerServer.StartAsync(
            new ServerOptions
            {
                NodeId = new NodeId(node),
                DataDirectory = Path.Combine(_directory, $"{node}"),
                PeerListenAddress = "127.0.0.1",
                Nodes = _addresses,
                Client = new ClientOptions { ListenAddress = "127.0.0.1", Port = PortOf(node) },
                Storage = new StorageOptions { SegmentBytes = 16 << 20 },
                Raft = new RaftTimingOptions
                {
                    ElectionTimeoutMin = TimeSpan.FromMilliseconds(600),
                    ElectionTimeoutMax = TimeSpan.FromMilliseconds(1200),
                    Heartbeat = TimeSpan.FromMilliseconds(100),
                },
                Topics = new TopicOptions { AutoCreateTopics = true, AutoCreateGroups = true, QueueCountDefault = 2 },
            },
            NullLoggerFactory.Instance);
        lock (_servers)
        {
            _servers[node] = server;
        }
    }

    public async Task StopNodeAsync(int node)
    {
        await _servers[node].DisposeAsync();
        _servers.Remove(node);
    }

    /// <summary>The node that serves, as soon as all running nodes agree on it.</summary>
    public async Task<int> LeaderAsync()
    {
        var clock = Stopwatch.StartNew();
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (await look.WaitForNextTickAsync())
        {
            var states = _servers.Values.Select(server => server.Status).ToArray();
            var leader = states.FirstOrDefault(state => state.IsServing)?.Self;
            if (leader is { } found && states.All(state => state.Leader == found))
            {
                return found.Value;
            }

            Assert.True(clock.Elapsed < Patience, $"no leader: {string.Join("; ", states.AsEnumerable())}");
        }

        throw new InvalidOperationException("the timer ended by itself");
    }

    /// <summary>A running node that does not lead.</summary>
    public async Task<int> FollowerAsync()
    {
        var leader = await LeaderAsync();
        return Running.First(node => node != leader);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await Task.WhenAll(_servers.Values.Select(server => server.DisposeAsync().AsTask()));
        _ports.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
