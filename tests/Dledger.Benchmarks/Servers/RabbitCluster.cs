using System.Globalization;
using System.Security.Cryptography;
using Dledger.Chaos.Machines;
using Dledger.Testing.Ports;

namespace Dledger.Benchmarks.Servers;

/// <summary>Three nodes of RabbitMQ, clustered, with a port mapper of their own.</summary>
internal sealed class RabbitCluster : IServerCluster
{
    private const int NodeCount = 3;
    private const long FreeDiskBytesMin = 1L << 30;

    private static readonly TimeSpan NodePatience = TimeSpan.FromSeconds(120);

    private readonly string _directory;
    private readonly List<ServerProcess> _nodes = [];
    private ServerProcess? _mapper;
    private string _answer = "";

    private RabbitCluster(string directory, IReadOnlyList<int> ports)
    {
        _directory = directory;
        Ports = ports;
    }

    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    /// <summary>Where clients reach the nodes.</summary>
    public IReadOnlyList<int> Ports { get; }

    /// <summary>Starts the nodes and waits until all are in one cluster.</summary>
    /// <param name="scripts">The folder of RabbitMQ's own scripts.</param>
    /// <param name="undertaker">Holds the directory, and cleans up if this process dies.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public static async Task<RabbitCluster> StartAsync(string scripts, Undertaker undertaker, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(undertaker.Directory, $"rabbit-{Guid.NewGuid():N}")).FullName;
        var ports = LoopbackPorts.Take((NodeCount * 2) + 1);
        var cluster = new RabbitCluster(directory, ports[..NodeCount]);
        try
        {
            var home = Path.Combine(directory, "home");
            WriteCookie(home);
            var configurations = Enumerable.Range(0, NodeCount)
                .Select(i => new RabbitConfiguration
                {
                    Node = i + 1,
                    ClientPort = ports[i],
                    DistributionPort = ports[NodeCount + i],
                    MapperPort = ports[^1],
                    NodeDirectory = Path.Combine(directory, $"node{i + 1}"),
                    HomeDirectory = home,
                    FreeDiskBytesMin = FreeDiskBytesMin,
                })
                .ToArray();

            cluster._mapper = ServerProcess.Start(
                "epmd",
                ["epmd", "-port", ports[^1].ToString(CultureInfo.InvariantCulture), "-address", "127.0.0.1"],
                new Dictionary<string, string>(),
                Path.Combine(directory, "epmd.log"),
                undertaker);
            await cluster.StartNodeAsync(configurations[0], scripts, undertaker, cancellationToken);
            await StartUp.WaitAsync(
                cluster, NodePatience, () => AcceptsAsync(configurations[0].ClientPort, cancellationToken), cancellationToken);
            foreach (var node in configurations[1..])
            {
                await cluster.StartNodeAsync(node, scripts, undertaker, cancellationToken);
            }

            var control = Path.Combine(scripts, "rabbitmqctl");
            await StartUp.WaitAsync(
                cluster, NodePatience, () => cluster.HasAllNodesAsync(control, configurations[0], cancellationToken), cancellationToken);
            return cluster;
        }
        catch (ServerException exception) when (cluster._answer.Length > 0)
        {
            await cluster.DisposeAsync();
            throw new ServerException($"{exception.Message}\n{cluster._answer}", exception);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _nodes.Append(_mapper))
        {
            if (process is not null)
            {
                await process.DisposeAsync();
            }
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartNodeAsync(
        RabbitConfiguration node, string scripts, Undertaker undertaker, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(node.NodeDirectory);
        await File.WriteAllTextAsync(node.File, node.Render(), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(node.NodeDirectory, "enabled_plugins"), "[].\n", cancellationToken);
        _nodes.Add(ServerProcess.Start(
            $"rabbitmq-server {node.NodeName}",
            [Path.Combine(scripts, "rabbitmq-server"), "-noinput"],
            node.Environment(),
            Path.Combine(node.NodeDirectory, "console.log"),
            undertaker));
    }

    // The tool is a virtual machine of its own that takes seconds of CPU: it is asked to wait, once the ports are open.
    private async Task<bool> HasAllNodesAsync(string control, RabbitConfiguration node, CancellationToken cancellationToken)
    {
        foreach (var port in Ports)
        {
            if (!await AcceptsAsync(port, cancellationToken))
            {
                return false;
            }
        }

        var environment = node.Environment().Select(variable => $"{variable.Key}={variable.Value}");
        var answer = await Command.TryAsync(
            "env", [.. environment, control, "-q", "-n", node.NodeName, "await_online_nodes", $"{NodeCount}", "--timeout", "20"]);
        _answer = answer.ExitCode == 0 ? "" : $"{answer.Output} {answer.Error}".Trim();
        return answer.ExitCode == 0;
    }

    private static async Task<bool> AcceptsAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private static void WriteCookie(string home)
    {
        Directory.CreateDirectory(home);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            // Erlang refuses a cookie that others can read.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var cookie = new StreamWriter(Path.Combine(home, ".erlang.cookie"), options);
        cookie.Write(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));
    }
}
