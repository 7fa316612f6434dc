using System.Globalization;
using System.Text;

namespace Dledger.Benchmarks.Servers;

/// <summary>What one node of a RabbitMQ cluster is told: a file, and the environment of its start script.</summary>
/// <remarks>
/// Several nodes share a machine by names, ports and directories of their own. The first node knows only itself and forms the cluster at
/// once; the others know it, and are started when it runs. A node that asks for one which is still starting may go on alone in the end.
/// </remarks>
internal sealed record RabbitConfiguration
{
    private const int JoinAttempts = 120;

    /// <summary>From 1.</summary>
    public required int Node { get; init; }

    public required int ClientPort { get; init; }

    /// <summary>For the other nodes and the tools.</summary>
    public required int DistributionPort { get; init; }

    /// <summary>Of the port mapper that belongs to this cluster alone.</summary>
    public required int MapperPort { get; init; }

    /// <summary>Holds everything of this node.</summary>
    public required string NodeDirectory { get; init; }

    /// <summary>Holds the cookie by which nodes and tools know each other.</summary>
    public required string HomeDirectory { get; init; }

    /// <summary>Below this much free space the node takes no messages.</summary>
    public required long FreeDiskBytesMin { get; init; }

    public string NodeName => NameOf(Node);

    public string File => Path.Combine(NodeDirectory, "rabbitmq.conf");

    public static string NameOf(int node) => string.Create(CultureInfo.InvariantCulture, $"bench{node}@localhost");

    /// <summary>The text of the file.</summary>
    public string Render()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"listeners.tcp.1 = 127.0.0.1:{ClientPort}\n");
        text.Append(CultureInfo.InvariantCulture, $"disk_free_limit.absolute = {FreeDiskBytesMin}\n");
        text.Append("cluster_formation.peer_discovery_backend = classic_config\n");
        text.Append(CultureInfo.InvariantCulture, $"cluster_formation.classic_config.nodes.1 = {NameOf(1)}\n");
        if (Node > 1)
        {
            text.Append(CultureInfo.InvariantCulture, $"cluster_formation.classic_config.nodes.2 = {NodeName}\n");
            text.Append(CultureInfo.InvariantCulture, $"cluster_formation.discovery_retry_limit = {JoinAttempts}\n");
            text.Append("cluster_formation.discovery_retry_interval = 500\n");
        }

        return text.ToString();
    }

    /// <summary>The environment of its start script and of the tools. Nothing of the machine's own installation is read.</summary>
    public IReadOnlyDictionary<string, string> Environment() => new Dictionary<string, string>
    {
        ["HOME"] = HomeDirectory,
        ["ERL_EPMD_PORT"] = MapperPort.ToString(CultureInfo.InvariantCulture),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
        ["RABBITMQ_NODENAME"] = NodeName,
        ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODE_PORT"] = ClientPort.ToString(CultureInfo.InvariantCulture),
        ["RABBITMQ_DIST_PORT"] = DistributionPort.ToString(CultureInfo.InvariantCulture),
        ["RABBITMQ_BASE"] = NodeDirectory,
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(NodeDirectory, "mnesia"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(NodeDirectory, "log"),
        ["RABBITMQ_PID_FILE"] = Path.Combine(NodeDirectory, "pid"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(NodeDirectory, "enabled_plugins"),
        ["RABBITMQ_CONFIG_FILE"] = File,
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(NodeDirectory, "advanced.config"),
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        // The script replaces itself by the virtual machine, so the process that was started is the node.
        ["RABBITMQ_ALLOW_INPUT"] = "1",
    };
}
