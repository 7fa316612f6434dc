using Dledger.Primitives;
using Dledger.Replication.Peers;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>
/// One node with a real directory and, in a cluster, a real port. It can be stopped and started again.
/// </summary>
internal sealed class TestNode(NodeId self, IReadOnlyList<ClusterMember> members, string directory)
{
    private static long _starts;

    public NodeId Self => self;

    public string Directory => directory;

    /// <summary>Where the other nodes reach it.</summary>
    public ClusterMember Place => members.Single(member => member.Node == self);

    public CollectedLog Log { get; } = new($"n{self}");

    public RecordingMachine Machine { get; private set; } = new();

    public ReplicationNode? Node { get; private set; }

    public ReplicationNode Running => Node ?? throw new InvalidOperationException($"node {self} is not running");

    public Func<IDisk, IDisk> WrapDisk { get; set; } = disk => disk;

    public ReplicationOptions Options { get; set; } = new()
    {
        Self = self,
        Members = members,
        Log = new CommitLogOptions
        {
            SegmentBytes = 16 << 20,
            SpareCount = 1,
            ZeroFillSpares = false,
            FrameBytesMax = 4 << 20,
        },
    };

    public void Start()
    {
        var seed = (ulong)Interlocked.Increment(ref _starts) * 1_000_003;
        var disk = WrapDisk(new PosixDisk(directory));
        Machine = new RecordingMachine();
        IPeerTransport transport = members.Count == 1
            ? new NoPeerTransport()
            : new TcpPeerTransport(
                new TcpPeerTransportOptions
                {
                    ListenAddress = System.Net.IPAddress.Loopback,
                    ListenPort = members.Single(member => member.Node == self).PeerPort,
                },
                TimeProvider.System,
                seed,
                Log);
        try
        {
            Node = ReplicationNode.Start(Options, disk, transport, Machine, TimeProvider.System, seed, Log);
        }
        catch
        {
            // Not started, so this ends at once.
            _ = transport.DisposeAsync().AsTask();
            throw;
        }
    }

    /// <summary>Whether the node ended its service by itself.</summary>
    public bool HasFaulted => Node?.Completion.IsCompleted == true;

    /// <summary>Ends without handing over: to the others it looks like a killed process.</summary>
    public async Task DropAsync()
    {
        if (Node is { } node)
        {
            Node = null;
            await node.DisposeAsync();
        }
    }

    /// <summary>Ends in order.</summary>
    public async Task StopAsync()
    {
        var node = Running;
        Node = null;
        await node.StopAsync(CancellationToken.None);
    }
}
