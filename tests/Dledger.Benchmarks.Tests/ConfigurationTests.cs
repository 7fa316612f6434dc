using Dledger.Benchmarks.Servers;

namespace Dledger.Benchmarks.Tests;

/// <summary>What the nodes of the compared brokers are told.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public void A_nats_node_listens_on_loopback_only_and_knows_the_routes_of_all() =>
        Assert.Equal(
            """
            server_name: "bench2"
            listen: "127.0.0.1:4002"
            http: "127.0.0.1:8002"
            jetstream {
              store_dir: "/data/node2"
              max_file_store: 4096
            }
            cluster {
              name: bench
              listen: "127.0.0.1:6002"
              routes: ["nats-route://127.0.0.1:6001", "nats-route://127.0.0.1:6002", "nats-route://127.0.0.1:6003"]
            }

            """,
            NatsNode().Render());

    [Fact]
    public void A_nats_node_is_told_to_sync_only_when_it_shall_differ_from_its_default()
    {
        Assert.DoesNotContain("sync_interval", NatsNode().Render(), StringComparison.Ordinal);
        Assert.Contains("  sync_interval: always\n", (NatsNode() with { SyncInterval = "always" }).Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_rabbit_node_knows_only_itself_and_forms_the_cluster_at_once() =>
        Assert.Equal(
            """
            listeners.tcp.1 = 127.0.0.1:5001
            disk_free_limit.absolute = 1024
            cluster_formation.peer_discovery_backend = classic_config
            cluster_formation.classic_config.nodes.1 = bench1@localhost

            """,
            RabbitNode(1).Render());

    [Fact]
    public void Another_rabbit_node_asks_for_the_first_one_again_and_again() =>
        Assert.EndsWith(
            """
            cluster_formation.classic_config.nodes.1 = bench1@localhost
            cluster_formation.classic_config.nodes.2 = bench3@localhost
            cluster_formation.discovery_retry_limit = 120
            cluster_formation.discovery_retry_interval = 500

            """,
            RabbitNode(3).Render(),
            StringComparison.Ordinal);

    [Fact]
    public void Everything_that_a_rabbit_node_writes_lies_in_its_own_directory()
    {
        var environment = RabbitNode(2).Environment();

        string[] places =
        [
            "RABBITMQ_BASE", "RABBITMQ_MNESIA_BASE", "RABBITMQ_LOG_BASE", "RABBITMQ_PID_FILE", "RABBITMQ_ENABLED_PLUGINS_FILE",
            "RABBITMQ_CONFIG_FILE", "RABBITMQ_ADVANCED_CONFIG_FILE",
        ];
        Assert.All(places, place => Assert.StartsWith("/data/node2", environment[place], StringComparison.Ordinal));
        Assert.Equal("/data/home", environment["HOME"]);
        Assert.Equal("/dev/null", environment["RABBITMQ_CONF_ENV_FILE"]);
    }

    [Fact]
    public void A_rabbit_node_and_its_port_mapper_stay_on_loopback()
    {
        var environment = RabbitNode(2).Environment();

        Assert.Equal("127.0.0.1", environment["ERL_EPMD_ADDRESS"]);
        Assert.Equal("127.0.0.1", environment["RABBITMQ_NODE_IP_ADDRESS"]);
        Assert.Equal("-kernel inet_dist_use_interface {127,0,0,1}", environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]);
    }

    [Theory]
    [InlineData("nats-server: v2.9.10\n", "2.9.10")]
    [InlineData("", "?")]
    public void The_version_of_nats_is_read_from_what_it_prints(string output, string version) =>
        Assert.Equal(version, PeerPrograms.ParseNatsVersion(output));

    [Theory]
    [InlineData("3.10.8-1.1+deb12u1", "3.10.8")]
    [InlineData("", "?")]
    public void The_version_of_a_package_is_that_of_its_source(string package, string version) =>
        Assert.Equal(version, PeerPrograms.ParseDebianVersion(package));

    private static NatsConfiguration NatsNode() => new()
    {
        ServerName = "bench2",
        ClientPort = 4002,
        ClusterPort = 6002,
        MonitoringPort = 8002,
        Routes = [6001, 6002, 6003],
        StoreDirectory = "/data/node2",
        StoreBytesMax = 4096,
    };

    private static RabbitConfiguration RabbitNode(int node) => new()
    {
        Node = node,
        ClientPort = 5000 + node,
        DistributionPort = 25000 + node,
        MapperPort = 4369,
        NodeDirectory = $"/data/node{node}",
        HomeDirectory = "/data/home",
        FreeDiskBytesMin = 1024,
    };
}
