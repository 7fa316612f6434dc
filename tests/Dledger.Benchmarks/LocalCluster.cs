using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Dledger.Benchmarks;

/// <summary>Nodes of the built <c>dledger</c> executable on loopback, each a process with a fresh directory; gone on dispose.</summary>
internal sealed class LocalCluster : IDisposable
{
    private readonly string _root;
    private readonly List<Process> _nodes = [];

    private LocalCluster(string root, string address)
    {
        _root = root;
        Address = address;
    }

    /// <summary>The first node's client address.</summary>
    public string Address { get; }

    public IEnumerable<int> ProcessIds => _nodes.Select(node => node.Id);

    public static LocalCluster Start(string executable, int nodeCount, string flushMode)
    {
        var root = Directory.CreateTempSubdirectory("dledger-bench-").FullName;
        var ports = FreePorts(nodeCount * 2);
        var nodes = Enumerable.Range(0, nodeCount)
            .Select(i => new
            {
                id = i + 1,
                host = "127.0.0.1",
                peerPort = ports[i],
                clientHost = "127.0.0.1",
                clientPort = ports[nodeCount + i],
            })
            .ToArray();

        var cluster = new LocalCluster(root, $"http://127.0.0.1:{nodes[0].clientPort}");
        foreach (var node in nodes)
        {
            var configuration = Path.Combine(root, $"node{node.id}.json");
            File.WriteAllText(configuration, JsonSerializer.Serialize(new
            {
                nodeId = node.id,
                dataDirectory = Path.Combine(root, $"data{node.id}"),
                peerListenAddress = "127.0.0.1",
                nodes,
                client = new { listenAddress = "127.0.0.1" },
                storage = new { flushMode, segmentSize = "256MiB" },
                topics = new { autoCreate = true },
            }));
            cluster._nodes.Add(StartNode(executable, configuration, Path.Combine(root, $"node{node.id}.log")));
        }

        return cluster;
    }

    public void Dispose()
    {
        foreach (var node in _nodes)
        {
            node.Kill();
            node.WaitForExit();
            node.Dispose();
        }

        Directory.Delete(_root, recursive: true);
    }

    private static Process StartNode(string executable, string configuration, string log)
    {
        var start = new ProcessStartInfo(executable, ["serve", "--config", configuration])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var node = Process.Start(start) ?? throw new InvalidOperationException($"{executable} did not start");
        var writer = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        node.OutputDataReceived += (_, line) => writer.WriteLine(line.Data);
        node.ErrorDataReceived += (_, line) => writer.WriteLine(line.Data);
        node.BeginOutputReadLine();
        node.BeginErrorReadLine();
        return node;
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners)
        {
            listener.Start();
        }

        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }
}
