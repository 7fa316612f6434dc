using System.Globalization;
using System.Text;

namespace Dledger.Benchmarks.Servers;

/// <summary>The configuration file of one node of a NATS cluster with JetStream; everything listens on loopback.</summary>
internal sealed record NatsConfiguration
{
    /// <summary>Its name in the cluster.</summary>
    public required string ServerName { get; init; }

    public required int ClientPort { get; init; }

    public required int ClusterPort { get; init; }

    /// <summary>Answers <c>/healthz</c>.</summary>
    public required int MonitoringPort { get; init; }

    /// <summary>The cluster ports of all nodes.</summary>
    public required IReadOnlyList<int> Routes { get; init; }

    public required string StoreDirectory { get; init; }

    /// <summary>Most bytes of streams on this node.</summary>
    public required long StoreBytesMax { get; init; }

    /// <summary>Value of <c>sync_interval</c>, such as <c>always</c>; null: the default. Versions before 2.10 refuse it.</summary>
    public string? SyncInterval { get; init; }

    /// <summary>The text of the file. Numbers are plain bytes: suffixes mean different powers in different versions.</summary>
    public string Render()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"server_name: \"{ServerName}\"\n");
        text.Append(CultureInfo.InvariantCulture, $"listen: \"127.0.0.1:{ClientPort}\"\n");
        text.Append(CultureInfo.InvariantCulture, $"http: \"127.0.0.1:{MonitoringPort}\"\n");
        text.Append("jetstream {\n");
        text.Append(CultureInfo.InvariantCulture, $"  store_dir: \"{StoreDirectory}\"\n");
        text.Append(CultureInfo.InvariantCulture, $"  max_file_store: {StoreBytesMax}\n");
        if (SyncInterval is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  sync_interval: {SyncInterval}\n");
        }

        text.Append("}\n");
        text.Append("cluster {\n");
        text.Append("  name: bench\n");
        text.Append(CultureInfo.InvariantCulture, $"  listen: \"127.0.0.1:{ClusterPort}\"\n");
        var routes = Routes.Select(port => string.Create(CultureInfo.InvariantCulture, $"\"nats-route://127.0.0.1:{port}\""));
        text.Append(CultureInfo.InvariantCulture, $"  routes: [{string.Join(", ", routes)}]\n");
        text.Append("}\n");
        return text.ToString();
    }
}
