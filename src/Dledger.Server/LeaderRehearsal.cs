using System.Diagnostics;
using System.Net;
using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Replication.Peers;
using Dledger.Server.Options;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Server;

/// <summary>
/// Lets a node that has just started play all parts of a cluster of three for a moment, in a directory of its own, which nobody sees.
/// </summary>
/// <remarks>
/// The code that only a leader runs is compiled when it runs for the first time. Without this that is when the old leader has died and
/// everybody waits: serving began 39 ms after the election in the median, against 2 ms for a process that had led before. It costs some
/// hundred milliseconds of one CPU at a start, beside it, and three ports on loopback meanwhile. Nothing depends on it: when it fails,
/// the node is slower once.
/// </remarks>
internal sealed class LeaderRehearsal(ServerOptions options, TimeProvider time, ILogger logger)
{
    private const string Name = "rehearsal";
    private const int MessageCount = 32;
    private const int ActorCount = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Directory inside the data directory; exists only while it runs.</summary>
    public static string DirectoryOf(ServerOptions options) => Path.Combine(options.DataDirectory, Name);

    /// <summary>Runs it; never throws. False when it did not come to its end.</summary>
    public async Task<bool> RunAsync()
    {
        var began = time.GetTimestamp();
        var directory = DirectoryOf(options);
        try
        {
            Clear(directory);
            Directory.CreateDirectory(directory);
            await PlayAsync(directory);
            ServerEvents.Rehearsed(logger, (long)time.GetElapsedTime(began).TotalMilliseconds);
            return true;
        }
        catch (Exception fault)
        {
            ServerEvents.RehearsalFailed(logger, fault.Message);
            return false;
        }
        finally
        {
            TryClear(directory);
        }
    }

    /// <summary>Ends it early; <see cref="RunAsync"/> returns soon.</summary>
    public void Stop() => _stop.Cancel();

    private async Task PlayAsync(string directory)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(Patience);
        limit.Token.ThrowIfCancellationRequested();
        var actors = new List<Actor>();
        try
        {
            for (var number = 1; number <= ActorCount; number++)
            {
                actors.Add(new Actor(new NodeId(number), Path.Combine(directory, $"{number}"), time));
            }

            ClusterMember[] members = [.. actors.Select(actor => actor.Place)];
            actors.ForEach(actor => actor.Start(members));
            var first = await FindServingAsync(actors, limit.Token);
            await PassMessagesAsync(first.Broker, limit.Token);
            var next = actors.Find(actor => actor != first)!;
            await first.Node.TransferLeadershipAsync(next.Place.Node, limit.Token);
            var second = await FindServingAsync(actors, limit.Token);
            await PassMessagesAsync(second.Broker, limit.Token);
        }
        finally
        {
            foreach (var actor in actors)
            {
                await actor.DisposeAsync();
            }
        }
    }

    private static async Task<Actor> FindServingAsync(List<Actor> actors, CancellationToken cancellationToken)
    {
        while (true)
        {
            var moved = Task.WhenAny(actors.Select(actor => actor.Broker.LeadershipMoved));
            if (actors.Find(actor => actor.Broker.Status.IsServing) is { } serving)
            {
                return serving;
            }

            await moved.WaitAsync(cancellationToken);
        }
    }

    private static async Task PassMessagesAsync(BrokerNode broker, CancellationToken cancellationToken)
    {
        await broker.FindOrCreateTopicAsync(Name, cancellationToken);
        await broker.FindOrCreateGroupAsync(Name, cancellationToken);
        for (var i = 0; i < MessageCount; i++)
        {
            await broker.AppendAsync(
                Name, [new MessageDraft { Body = new byte[16], MessageId = $"{Name}-{i}" }], cancellationToken);
        }

        var received = await broker.ReceiveAsync(
            new ReceiveRequest { Group = Name, Topic = Name, BatchSize = MessageCount, InvisibleDuration = TimeSpan.FromMinutes(1) },
            cancellationToken);
        if (received.Messages is [var first, ..])
        {
            await broker.AckAsync(Name, Name, [first.ReceiptHandle], cancellationToken);
        }

        await broker.DescribeTopicAsync(Name, cancellationToken);
        await broker.DescribeGroupAsync(Name, cancellationToken);
    }

    private static void Clear(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void TryClear(string directory)
    {
        try
        {
            Clear(directory);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The next start tries again.
        }
    }

    /// <summary>One node of the play.</summary>
    private sealed class Actor : IAsyncDisposable
    {
        private readonly PosixDisk _disk;
        private readonly TimeProvider _time;
        private readonly TcpPeerTransport _transport;
        private ReplicationNode? _node;

        public Actor(NodeId id, string directory, TimeProvider time)
        {
            Directory.CreateDirectory(directory);
            _disk = new PosixDisk(directory);
            _time = time;
            Broker = new BrokerNode(new BrokerOptions { AutoCreateTopics = true }, _disk, "", time, NullLoggerFactory.Instance);
            _transport = new TcpPeerTransport(
                new TcpPeerTransportOptions { ListenAddress = IPAddress.Loopback, ListenPort = 0 },
                time,
                Seed,
                NullLoggerFactory.Instance);
            Place = new ClusterMember(id, $"{IPAddress.Loopback}", _transport.Port);
        }

        public ClusterMember Place { get; }

        public BrokerNode Broker { get; }

        public ReplicationNode Node => _node!;

        private static ulong Seed => (ulong)Stopwatch.GetTimestamp();

        public void Start(IReadOnlyList<ClusterMember> members)
        {
            _node = ReplicationNode.Start(
                new ReplicationOptions
                {
                    Self = Place.Node,
                    Members = members,
                    ElectionTimeoutMin = TimeSpan.FromMilliseconds(200),
                    ElectionTimeoutMax = TimeSpan.FromMilliseconds(400),
                    HeartbeatInterval = TimeSpan.FromMilliseconds(30),
                    Log = new CommitLogOptions
                    {
                        SegmentBytes = 8 << 20,
                        SpareCount = 0,
                        ZeroFillSpares = false,
                        ReserveBytes = 0,
                    },
                },
                _disk,
                _transport,
                Broker.StateMachine,
                _time,
                Seed,
                NullLoggerFactory.Instance);
            Broker.Attach(_node);
        }

        public async ValueTask DisposeAsync()
        {
            if (_node is not null)
            {
                await _node.DisposeAsync();
            }

            await _transport.DisposeAsync();
            Broker.Dispose();
        }
    }
}
