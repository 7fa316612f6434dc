using System.Net;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Replication.Peers;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Testing.Ports;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Broker.Tests.Nodes;

/// <summary>Three brokers over a replicated log: loopback, real threads and directories, small files.</summary>
internal sealed class BrokerCluster : IAsyncDisposable
{
    public const int SegmentBytes = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _root = Path.Combine(Path.GetTempPath(), $"dledger-brokers-{Guid.NewGuid():N}");
    private readonly PortLease _ports = LoopbackPorts.Lease(3);
    private readonly BrokerOptions _options;
    private readonly ClusterMember[] _members;
    private readonly Dictionary<NodeId, (BrokerNode Broker, ReplicationNode Log)> _running = [];
    private ulong _starts;

    public BrokerCluster(BrokerOptions options)
    {
        _options = options;
        _members = [.. _ports.Ports.Select((port, index) => new ClusterMember(new NodeId(index + 1), "127.0.0.1", port))];
        foreach (var member in _members)
        {
            Start(member.Node);
        }
    }

    public IEnumerable<NodeId> Nodes => _members.Select(member => member.Node);

    /// <summary>Where the other nodes reach a node.</summary>
    public ClusterMember PlaceOf(NodeId node) => _members.Single(member => member.Node == node);

    public BrokerNode Broker(NodeId node) => _running[node].Broker;

    public ReplicationNode Log(NodeId node) => _running[node].Log;

    public void Start(NodeId node)
    {
        var disk = new PosixDisk(Path.Combine(_root, $"n{node}"));
        Directory.CreateDirectory(Path.Combine(_root, $"n{node}"));
        var broker = new BrokerNode(_options, disk, "", TimeProvider.System, NullLoggerFactory.Instance);
        var seed = ++_starts * 7919;
        var transport = new TcpPeerTransport(
            new TcpPeerTransportOptions
            {
                ListenAddress = IPAddress.Loopback,
                ListenPort = _members.Single(member => member.Node == node).PeerPort,
            },
            TimeProvider.System,
            seed,
            NullLoggerFactory.Instance);
        var log = ReplicationNode.Start(
            new ReplicationOptions
            {
                Self = node,
                Members = _members,
                FrameBytesTarget = 64 << 10,
                Log = new CommitLogOptions
                {
                    SegmentBytes = SegmentBytes,
                    FrameBytesMax = SegmentBytes,
                    SpareCount = 1,
                    ZeroFillSpares = false,
                    ReserveBytes = 0,
                },
            },
            disk,
            transport,
            broker.StateMachine,
            TimeProvider.System,
            seed,
            NullLoggerFactory.Instance);
        broker.Attach(log);
        _running[node] = (broker, log);
    }

    /// <summary>Ends a node like a killed process.</summary>
    public async Task DropAsync(NodeId node)
    {
        _running.Remove(node, out var parts);
        await parts.Log.DisposeAsync();
        parts.Broker.Dispose();
    }

    /// <summary>Throws a node's files away.</summary>
    public void Wipe(NodeId node) => Directory.Delete(Path.Combine(_root, $"n{node}"), recursive: true);

    public async Task<NodeId> WaitForLeaderAsync()
    {
        await WaitAsync(() => _running.Any(each => each.Value.Log.Status.IsServing), "a leader serves");
        return _running.First(each => each.Value.Log.Status.IsServing).Key;
    }

    /// <summary>Waits until all running nodes have applied the same log.</summary>
    public Task WaitUntilEqualAsync() => WaitAsync(
        () => _running.Values.Select(each => each.Log.Status).ToList() is var all
            && all.All(status => status.Applied == status.Commit && status.Commit == all[0].Commit)
            && all.Any(status => status.IsServing),
        "all nodes have applied the same log");

    public async Task WaitAsync(Func<bool> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience,
                $"not within {Patience}: {what}; {string.Join("; ", _running.Values.Select(each => each.Log.Status))}");
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _running.Keys.ToList())
        {
            await DropAsync(node);
        }

        _ports.Dispose();
        if (Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }
}
