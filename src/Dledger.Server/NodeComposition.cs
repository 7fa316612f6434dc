using System.Net;
using Dledger.Broker;
using Dledger.Frontend;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Replication.Peers;
using Dledger.Server.Options;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Microsoft.Extensions.Logging;

namespace Dledger.Server;

/// <summary>Makes the parts of a node out of its options.</summary>
internal static class NodeComposition
{
    /// <summary>
    /// Appends that are acknowledged from the page cache go into it below this size, where a device write would be waited for.
    /// </summary>
    private const int AsyncUncachedBytesMin = 64 << 10;

    /// <summary>Directory of the one group inside the data directory.</summary>
    public static readonly string GroupDirectory = $"group-{RaftGroupId.First.Value}";

    public static PosixDisk OpenDisk(ServerOptions options)
    {
        var disk = new PosixDisk(options.DataDirectory);
        try
        {
            disk.CreateDirectory(GroupDirectory);
            return disk;
        }
        catch (StorageFaultException exception)
        {
            throw new DataDirectoryException(
                $"The data directory '{options.DataDirectory}' cannot be made: {exception.Message} "
                    + "Name another one with dataDirectory, or make it writable.",
                exception);
        }
    }

    public static BrokerNode CreateBroker(
        ServerOptions options, IDisk disk, TimeProvider time, ILoggerFactory loggers) =>
        new(
            new BrokerOptions
            {
                AutoCreateTopics = options.Topics.AutoCreateTopics,
                AutoCreateGroups = options.Topics.AutoCreateGroups,
                AutoCreateQueueCount = options.Topics.QueueCountDefault,
                ParkedReceivesMax = options.Limits.ParkedPollsMax,
                ClientQuota = new(options.Limits.ClientMessagesPerSecond, options.Limits.ClientBytesPerSecond),
                RetentionTime = options.Storage.RetentionTime,
                RetentionBytes = options.Storage.RetentionBytes,
                RetentionDiskPercent = options.Storage.RetentionDiskPercent,
            },
            disk,
            GroupDirectory,
            time,
            loggers);

    public static ReplicationNode StartReplication(
        ServerOptions options,
        IDisk disk,
        IStateMachine machine,
        TimeProvider time,
        ulong seed,
        ILoggerFactory loggers)
    {
        var isAlone = options.Nodes.Count == 0;
        var isSync = options.Storage.FlushMode == FlushPolicy.QuorumSync;
        var log = new CommitLogOptions
        {
            SegmentBytes = options.Storage.SegmentBytes,
            UncachedBytesMin = isSync ? 0 : AsyncUncachedBytesMin,
        };
        var replication = new ReplicationOptions
        {
            Self = options.NodeId,
            Members = MembersOf(options),
            Directory = GroupDirectory,
            FlushMode = isSync ? FlushMode.QuorumSync : FlushMode.QuorumAsync,
            Log = log,
            ClientAddress = isAlone ? "" : AdvertisedAddress.NodesOf(options, 0)
                .First(node => node.Id == options.NodeId).ClientAddress,
            MachineBootId = MachineBoot.ReadId(),
            AutoReplace = options.AutoReplace,
            CatchUpBytesPerSecond = options.Storage.CatchUpBytesPerSecond,
            ElectionTimeoutMin = options.Raft.ElectionTimeoutMin,
            ElectionTimeoutMax = options.Raft.ElectionTimeoutMax,
            HeartbeatInterval = options.Raft.Heartbeat,
        };
        IPeerTransport transport = isAlone
            ? new NoPeerTransport()
            : OpenTransport(options, log, time, seed, loggers);
        return ReplicationNode.Start(replication, disk, transport, machine, time, seed, loggers);
    }

    public static FrontendOptions FrontendOptionsOf(ServerOptions options, int boundPort) => new()
    {
        Self = options.NodeId,
        Nodes = AdvertisedAddress.NodesOf(options, boundPort),
        GroupName = $"dledger-{RaftGroupId.First.Value}",
        FlushMode = options.Storage.FlushMode == FlushPolicy.QuorumSync ? "QUORUM_SYNC" : "QUORUM_ASYNC",
        BodyBytesMax = options.Limits.BodyBytesMax,
        LongPollMax = options.Limits.LongPollMax,
        ReceiveBatchCount = options.Limits.ReceiveBatchCount,
        RequestBytesMax = options.Limits.RequestBytesMax,
        QueueCountDefault = options.Topics.QueueCountDefault,
        ForwardsByTls = options.Client.Tls == TlsMode.Required,
    };

    private static ClusterMember[] MembersOf(ServerOptions options) => options.Nodes.Count == 0
        ? [new ClusterMember(options.NodeId, "localhost", 0)]
        : [.. options.Nodes.Select(node => new ClusterMember(node.Id, node.Host, node.PeerPort))];

    private static TcpPeerTransport OpenTransport(
        ServerOptions options, CommitLogOptions log, TimeProvider time, ulong seed, ILoggerFactory loggers)
    {
        var self = options.Nodes.Single(node => node.Id == options.NodeId);
        try
        {
            return new TcpPeerTransport(
                new TcpPeerTransportOptions
                {
                    ListenAddress = IPAddress.Parse(options.PeerListenAddress),
                    ListenPort = self.PeerPort,
                    AppendRangeBytesMax = log.FrameBytesMax,
                },
                time,
                seed,
                loggers);
        }
        catch (System.Net.Sockets.SocketException exception)
        {
            throw new Listening.ListenException(
                $"Port {self.PeerPort} at {options.PeerListenAddress} for the other nodes cannot be opened: "
                    + $"{exception.Message}. Stop whoever uses it, or change peerPort in nodes on every node.",
                exception);
        }
    }
}
