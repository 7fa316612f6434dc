using System.Text.Json;
using Dledger.Testing.Ports;

namespace Dledger.Integration.Tests.Processes;

/// <summary>Nodes of the built program on free ports of this machine, with their data in a temporary directory.</summary>
internal sealed class NodeCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly List<NodeProcess> _nodes;
    private readonly List<PortLease> _ports;

    private NodeCluster(string directory, IEnumerable<NodeProcess> nodes, PortLease ports)
    {
        _directory = directory;
        _nodes = [.. nodes];
        _ports = [ports];
    }

    public IReadOnlyList<NodeProcess> Nodes => _nodes;

    /// <summary><c>host:port</c> of the first node.</summary>
    public string Address => Nodes[0].Address;

    /// <summary>Makes and starts the nodes, and waits until one of them leads and all answer.</summary>
    public static async Task<NodeCluster> StartAsync(int count)
    {
        var cluster = Create(count);
        foreach (var node in cluster.Nodes)
        {
            node.Start();
        }

        await cluster.WaitUntilWholeAsync();
        return cluster;
    }

    /// <summary>Makes the nodes without starting them.</summary>
    public static NodeCluster Create(int count)
    {
        var directory = Directory.CreateTempSubdirectory("dledger-it-").FullName;
        var lease = LoopbackPorts.Lease(2 * count);
        var ports = lease.Ports;
        var nodes = Enumerable.Range(0, count)
            .Select(index => new NodeProcess(index + 1, ports[index], ports[count + index], directory))
            .ToArray();
        foreach (var node in nodes)
        {
            node.WriteConfiguration(nodes);
        }

        return new NodeCluster(directory, nodes, lease);
    }

    /// <summary>One more node, which knows the others; their files do not name it.</summary>
    public NodeProcess Prepare()
    {
        var lease = LoopbackPorts.Lease(2);
        var node = new NodeProcess(_nodes.Count + 1, lease.Ports[0], lease.Ports[1], _directory);
        _ports.Add(lease);
        _nodes.Add(node);
        node.WriteConfiguration(_nodes);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.KillAsync();
        }

        _ports.ForEach(lease => lease.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A command of the program, with the address of the first running node.</summary>
    public Task<ProgramRun> RunAsync(params string[] arguments) =>
        ProgramRun.DledgerAsync([.. arguments, "--address", (Nodes.FirstOrDefault(node => node.IsRunning) ?? Nodes[0]).Address]);

    /// <summary>The same, and it must succeed.</summary>
    public async Task<ProgramRun> CommandAsync(params string[] arguments)
    {
        var run = await RunAsync(arguments);
        Assert.True(run.ExitCode == 0, $"dledger {string.Join(' ', arguments)}: exit code {run.ExitCode}: {run.Error}\n{Logs()}");
        return run;
    }

    public async Task<NodeProcess?> FindLeaderAsync()
    {
        var status = await StatusAsync();
        var leader = status?.GetProperty("leaderId").GetInt32() ?? 0;
        return Nodes.FirstOrDefault(node => node.Id == leader && node.IsRunning);
    }

    public async Task WaitUntilWholeAsync()
    {
        try
        {
            await Eventually.TrueAsync("every node takes part", Patience, IsWholeAsync);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{exception.Message}\n{Logs()}", exception);
        }
    }

    /// <summary>What the nodes have logged, for the message of a failed test.</summary>
    public string Logs() => string.Join("\n", Nodes.Select(node =>
        $"--- node {node.Id}\n{string.Join("\n", node.Log.Split('\n').TakeLast(20))}"));

    private async Task<bool> IsWholeAsync()
    {
        if (await StatusAsync() is not { } status || status.GetProperty("leaderId").GetInt32() == 0)
        {
            return false;
        }

        return status.GetProperty("nodes").EnumerateArray().Count(
            node => node.GetProperty("role").GetString() is "leader" or "follower"
                && (node.GetProperty("lagBytes").GetInt64() is >= 0 and < 1 << 20 || node.GetProperty("role").GetString() == "leader"))
            == Nodes.Count;
    }

    private async Task<JsonElement?> StatusAsync()
    {
        foreach (var node in Nodes.Where(node => node.IsRunning))
        {
            var run = await ProgramRun.DledgerAsync("cluster", "status", "--json", "--wait", "0", "--address", node.Address);
            if (run.ExitCode == 0)
            {
                return run.Json;
            }
        }

        return null;
    }
}
