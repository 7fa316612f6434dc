namespace Dledger.Server.Options;

/// <summary>All keys of the configuration. The budget is 40: a new one must beat choosing well ourselves.</summary>
public static class OptionKeys
{
    public static readonly OptionKey NodeId = OptionKey.Integer(
        "nodeId", 1, Primitives.NodeId.ValueMax, "number of this node");

    public static readonly OptionKey DataDirectory = OptionKey.Text(
        "dataDirectory", "where the node keeps everything");

    public static readonly OptionKey PeerListenAddress = OptionKey.Text(
        "peerListenAddress", "IP address to listen on for the other nodes");

    public static readonly OptionKey NodesId = OptionKey.Integer(
        "nodes.#.id", 1, Primitives.NodeId.ValueMax, "number of a node of the cluster");

    public static readonly OptionKey NodesHost = OptionKey.Text(
        "nodes.#.host", "host where the other nodes reach it");

    public static readonly OptionKey NodesPeerPort = OptionKey.Integer(
        "nodes.#.peerPort", 1, 65_535, "port where the other nodes reach it");

    public static readonly OptionKey NodesClientHost = OptionKey.Text(
        "nodes.#.clientHost", "host that clients are told; default: its host");

    public static readonly OptionKey NodesClientPort = OptionKey.Integer(
        "nodes.#.clientPort", 1, 65_535, "port that clients are told; default: 8081");

    public static readonly OptionKey ClientListenAddress = OptionKey.Text(
        "client.listenAddress", "IP address to listen on for clients");

    public static readonly OptionKey ClientPort = OptionKey.Integer(
        "client.port", 0, 65_535, "port for clients; default: that of this node in nodes, else 8081; 0: a free one");

    public static readonly OptionKey ClientAdvertisedHost = OptionKey.Text(
        "client.advertisedHost", "host that clients are told, for a node alone");

    public static readonly OptionKey ClientAdvertisedPort = OptionKey.Integer(
        "client.advertisedPort", 0, 65_535, "port that clients are told, for a node alone; 0: the bound one");

    public static readonly OptionKey ClientConnectionsMax = OptionKey.Integer(
        "client.connectionsMax", 1, 1_000_000, "open connections of clients");

    public static readonly OptionKey ClientTls = OptionKey.Choice(
        "client.tls", ["optional", "off", "required"], "which connections the client port takes");

    public static readonly OptionKey ClientCertificateFile = OptionKey.Text(
        "client.certificateFile", "PEM file of the certificate; default: a self-signed one");

    public static readonly OptionKey ClientKeyFile = OptionKey.Text(
        "client.keyFile", "PEM file of the private key");

    public static readonly OptionKey StorageFlushMode = OptionKey.Choice(
        "storage.flushMode", ["QUORUM_SYNC", "QUORUM_ASYNC"], "what an acknowledged message has survived");

    public static readonly OptionKey StorageSegmentSize = OptionKey.Size(
        "storage.segmentSize", 8L << 20, 4L << 30, "bytes of one log file");

    public static readonly OptionKey StorageRetentionTime = OptionKey.Duration(
        "storage.retentionTime", TimeSpan.Zero, TimeSpan.FromDays(3_650),
        "how long messages are kept at least, consumed or not; 0s: for ever");

    public static readonly OptionKey StorageRetentionSize = OptionKey.Size(
        "storage.retentionSize", 0, 1L << 50, "bytes of log that are kept, whatever their age; 0: no bound");

    public static readonly OptionKey StorageRetentionDiskUse = OptionKey.Integer(
        "storage.retentionDiskUse", 0, 95,
        "used percent of the leader's disk above which the oldest messages go, however young; 0: never");

    public static readonly OptionKey StorageCatchUpRate = OptionKey.Size(
        "storage.catchUpRate", 1L << 20, 1L << 40,
        "bytes per second at which nodes that lack much are brought up to date, beside twice what producers write");

    public static readonly OptionKey RaftElectionTimeoutMin = OptionKey.Duration(
        "raft.electionTimeoutMin", TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(60),
        "silence of the leader before an election, at least");

    public static readonly OptionKey RaftElectionTimeoutMax = OptionKey.Duration(
        "raft.electionTimeoutMax", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(120),
        "silence of the leader before an election, at most");

    public static readonly OptionKey RaftHeartbeat = OptionKey.Duration(
        "raft.heartbeat", TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(10),
        "how often an idle leader shows itself");

    public static readonly OptionKey ClusterAutoReplace = OptionKey.Switch(
        "cluster.autoReplace", "a voter that comes back with an empty disk is replaced without being asked");

    public static readonly OptionKey TopicsAutoCreate = OptionKey.Switch(
        "topics.autoCreate", "a topic comes into being when a client first asks for it");

    public static readonly OptionKey TopicsAutoCreateGroups = OptionKey.Switch(
        "topics.autoCreateGroups", "the same for consumer groups");

    public static readonly OptionKey TopicsQueueCount = OptionKey.Integer(
        "topics.queueCount", 1, 1_024, "queues of a topic that is created without a number");

    public static readonly OptionKey LimitsBodySize = OptionKey.Size(
        "limits.bodySize", 1_024, LimitOptions.BodyBytesCeiling, "bytes of one message body");

    public static readonly OptionKey LimitsRequestSize = OptionKey.Size(
        "limits.requestSize", 5L << 20, 512L << 20, "bytes of one request");

    public static readonly OptionKey LimitsLongPoll = OptionKey.Duration(
        "limits.longPoll", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20),
        "how long a receive waits for messages at most");

    public static readonly OptionKey LimitsReceiveBatch = OptionKey.Integer(
        "limits.receiveBatch", 1, 32, "messages in one answer to a push consumer");

    public static readonly OptionKey LimitsParkedPolls = OptionKey.Integer(
        "limits.parkedPolls", 1, 1_000_000, "receives that wait on this node");

    public static readonly OptionKey LimitsClientMessagesPerSecond = OptionKey.Integer(
        "limits.clientMessagesPerSecond", 0, Broker.Naming.Limits.QuotaRateMax,
        "messages that one client may send in a second, and that it may be given; 0: no bound");

    public static readonly OptionKey LimitsClientBytesPerSecond = OptionKey.Size(
        "limits.clientBytesPerSecond", 0, Broker.Naming.Limits.QuotaRateMax, "the same in bytes of messages; 0: no bound");

    public static readonly OptionKey LimitsDrain = OptionKey.Duration(
        "limits.drain", TimeSpan.Zero, TimeSpan.FromMinutes(5), "how long a stopping node waits for calls under way");

    /// <summary>Every key, in the order of the documentation.</summary>
    public static readonly IReadOnlyList<OptionKey> All =
    [
        NodeId, DataDirectory, PeerListenAddress,
        NodesId, NodesHost, NodesPeerPort, NodesClientHost, NodesClientPort,
        ClientListenAddress, ClientPort, ClientAdvertisedHost, ClientAdvertisedPort, ClientConnectionsMax, ClientTls,
        ClientCertificateFile, ClientKeyFile,
        StorageFlushMode, StorageSegmentSize, StorageRetentionTime, StorageRetentionSize,
        StorageRetentionDiskUse, StorageCatchUpRate,
        RaftElectionTimeoutMin, RaftElectionTimeoutMax, RaftHeartbeat,
        ClusterAutoReplace,
        TopicsAutoCreate, TopicsAutoCreateGroups, TopicsQueueCount,
        LimitsBodySize, LimitsRequestSize, LimitsLongPoll, LimitsReceiveBatch, LimitsParkedPolls,
        LimitsClientMessagesPerSecond, LimitsClientBytesPerSecond, LimitsDrain,
    ];
}
