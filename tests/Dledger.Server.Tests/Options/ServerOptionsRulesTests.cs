using Dledger.Primitives;
using Dledger.Server.Options;

namespace Dledger.Server.Tests.Options;

public sealed class ServerOptionsRulesTests
{
    private static readonly NodeAddress First = new(new NodeId(1), "a", 9001, "a", 8081);
    private static readonly NodeAddress Second = new(new NodeId(2), "b", 9001, "b", 8081);

    public static TheoryData<string, ServerOptions> Broken => new()
    {
        { "nodeId: 0 is outside", new ServerOptions { NodeId = default } },
        { "dataDirectory: must not be blank", new ServerOptions { DataDirectory = " " } },
        { "peerListenAddress: 'x' is not an IP address", new ServerOptions { PeerListenAddress = "x" } },
        { "client.listenAddress: 'localhost' is not an IP address", Client(new() { ListenAddress = "localhost" }) },
        { "client.port: -1 is outside", Client(new() { Port = -1 }) },
        { "client.advertisedPort: 65536 is outside", Client(new() { AdvertisedPort = 65_536 }) },
        { "client.advertisedHost: 'not a host'", Client(new() { AdvertisedHost = "not a host" }) },
        { "client.connectionsMax: 0 is outside", Client(new() { ConnectionsMax = 0 }) },
        { "set both or neither", Client(new() { CertificateFile = "/nowhere.pem" }) },
        { "the file '/no.pem' does not exist", Client(new() { CertificateFile = "/no.pem", KeyFile = "/no.key" }) },
        { "storage.segmentSize: 1MiB is outside", Segments(1 << 20) },
        { "storage.segmentSize: must be a multiple of 4KiB", Segments((8 << 20) + 1) },
        { "storage.retentionTime: -1s is outside", Storage(new StorageOptions { RetentionTime = TimeSpan.FromSeconds(-1) }) },
        { "storage.retentionSize: -1 is outside", Storage(new StorageOptions { RetentionBytes = -1 }) },
        { "storage.retentionDiskUse: 96 is outside 0..95", Storage(new StorageOptions { RetentionDiskPercent = 96 }) },
        { "storage.catchUpRate: 1 is outside 1MiB..", Storage(new StorageOptions { CatchUpBytesPerSecond = 1 }) },
        { "raft.electionTimeoutMax: must be above", Raft(500, 500, 50) },
        { "raft.heartbeat: 1ms is outside", Raft(500, 1000, 1) },
        { "topics.queueCount: 0 is outside", new ServerOptions { Topics = new() { QueueCountDefault = 0 } } },
        { "limits.bodySize: 4MiB is outside", Limits(new() { BodyBytesMax = 4 << 20 }) },
        { "limits.requestSize: 1MiB is outside", Limits(new() { RequestBytesMax = 1 << 20 }) },
        { "limits.longPoll: 30s is outside 1s..20s", Limits(new() { LongPollMax = TimeSpan.FromSeconds(30) }) },
        { "limits.receiveBatch: 33 is outside", Limits(new() { ReceiveBatchCount = 33 }) },
        { "limits.parkedPolls: 0 is outside", Limits(new() { ParkedPollsMax = 0 }) },
        { "limits.clientMessagesPerSecond: -1 is outside 0..1099511627776", Limits(new() { ClientMessagesPerSecond = -1 }) },
        { "limits.clientBytesPerSecond: 2048GiB is outside", Limits(new() { ClientBytesPerSecond = 2L << 40 }) },
        { "limits.drain: 6m is outside", Limits(new() { DrainMax = TimeSpan.FromMinutes(6) }) },
        { "nodeId: 3 is not among the ids of nodes (1, 2)", Cluster(3, First, Second) },
        { "the id 1 is used 2 times", Cluster(1, First, Second with { Id = new NodeId(1) }) },
        { "a:9001 is used by more than one node", Cluster(1, First, Second with { Host = "a" }) },
        { "clients are told a:8081 for more than one node", Cluster(1, First, Second with { ClientHost = "a" }) },
        { "nodes.1.peerPort: 0 is outside", Cluster(1, First, Second with { PeerPort = 0 }) },
        { "nodes.1.host: is missing", Cluster(1, First, Second with { Host = "" }) },
        { "client.port: 0 is for a node alone", Cluster(1, First, Second) with { Client = new() { Port = 0 } } },
        { "are for a node alone", Cluster(1, First, Second) with { Client = new() { AdvertisedHost = "x" } } },
        { "10 nodes, at most 9", Cluster(1, [.. Enumerable.Range(1, 10).Select(
            n => new NodeAddress(new NodeId(n), $"h{n}", 9001, $"h{n}", 8081))]) },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_rule_is_named(string expected, ServerOptions options)
    {
        var problems = options.Validate();

        Assert.Contains(problems, problem => problem.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void The_defaults_and_a_cluster_of_three_keep_all_rules()
    {
        var cluster = Cluster(2, First, Second, new NodeAddress(new NodeId(3), "c", 9001, "c", 8081));

        Assert.Empty(new ServerOptions().Validate());
        Assert.Empty(cluster.Validate());
    }

    private static ServerOptions Client(ClientOptions client) => new() { Client = client };

    private static ServerOptions Segments(long segmentBytes) =>
        new() { Storage = new() { SegmentBytes = segmentBytes } };

    private static ServerOptions Storage(StorageOptions storage) => new() { Storage = storage };

    private static ServerOptions Limits(LimitOptions limits) => new() { Limits = limits };

    private static ServerOptions Raft(int min, int max, int heartbeat) => new()
    {
        Raft = new()
        {
            ElectionTimeoutMin = TimeSpan.FromMilliseconds(min),
            ElectionTimeoutMax = TimeSpan.FromMilliseconds(max),
            Heartbeat = TimeSpan.FromMilliseconds(heartbeat),
        },
    };

    private static ServerOptions Cluster(int self, params NodeAddress[] nodes) => new()
    {
        NodeId = new NodeId(self),
        Nodes = nodes,
    };
}
