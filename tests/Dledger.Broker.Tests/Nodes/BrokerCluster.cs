using System.Net;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
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

    /// <summary>Calls whoever leads, and again whoever leads then, as long as the answer is that leadership moved.</summary>
    public async Task<TOutcome> AskLeaderAsync<TOutcome>(
        Func<BrokerNode, ValueTask<TOutcome>> call, Func<TOutcome, BrokerFailure?> failureOf)
    {
        while (true)
        {
            var outcome = await call(Broker(await WaitForLeaderAsync()));
            var failure = failureOf(outcome);
            if (failure is null)
            {
                return outcome;
            }

            Assert.True(
                failure.Value.Error is BrokerError.NotLeader or BrokerError.OutcomeUnknown or BrokerError.Unavailable,
                $"{failure}; {Describe()}");
        }
    }

    public Task CreateTopicAsync(string topic) => AskLeaderAsync(
        broker => broker.CreateTopicAsync(new TopicSpec { Name = topic, QueueCount = 4 }, CancellationToken.None),
        failure => failure?.Error == BrokerError.AlreadyExists ? null : failure);

    /// <summary>Sends one by one; a change of the leader in the middle may store one twice.</summary>
    public async Task SendAsync(string topic, int count, int bodyBytes)
    {
        for (var i = 0; i < count; i++)
        {
            var draft = new MessageDraft { MessageId = Guid.NewGuid().ToString("N"), Body = new byte[bodyBytes] };
            await AskLeaderAsync(
                broker => broker.AppendAsync(topic, [draft], CancellationToken.None), outcome => outcome.Failure);
        }
    }

    /// <summary>Sends until the log of whoever leads begins behind a position.</summary>
    public async Task SendUntilStartPassesAsync(string topic, LogPosition end, int bodyBytes)
    {
        for (var round = 0; Log(await WaitForLeaderAsync()).Segments is [var first, ..] && first.Base <= end; round++)
        {
            Assert.True(round < 200, $"the log's start never moves; {Describe()}");
            await SendAsync(topic, 10, bodyBytes);
        }
    }

    /// <summary>Hands leadership to a node, in as many attempts as it takes: one fails while the target's disk is slow.</summary>
    public Task LeadAsync(NodeId target) => WaitAsync(
        async () =>
        {
            var leader = _running.FirstOrDefault(each => each.Value.Log.Status.IsServing).Key;
            return leader == target
                || (leader != NodeId.None
                    && await Log(leader).TransferLeadershipAsync(target, CancellationToken.None)
                    && Log(target).Status.IsServing);
        },
        $"node {target} leads");

    /// <summary>Waits until all running nodes have applied the same log.</summary>
    public Task WaitUntilEqualAsync() => WaitAsync(
        () => _running.Values.Select(each => each.Log.Status).ToList() is var all
            && all.All(status => status.Applied == status.Commit && status.Commit == all[0].Commit)
            && all.Any(status => status.IsServing),
        "all nodes have applied the same log");

    public Task WaitAsync(Func<bool> condition, string what) => WaitAsync(() => Task.FromResult(condition()), what);

    private async Task WaitAsync(Func<Task<bool>> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience,
                $"not within {Patience}: {what}; {Describe()}");
            await timer.WaitForNextTickAsync();
        }
    }

    private string Describe() => string.Join("; ", _running.Values.Select(each => each.Log.Status));

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
