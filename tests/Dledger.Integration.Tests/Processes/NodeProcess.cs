using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Dledger.Integration.Tests.Processes;

/// <summary>One node: its ports, its files, and the process while it runs.</summary>
internal sealed class NodeProcess(int id, int clientPort, int peerPort, string directory)
{
    private const int Terminate = 15;

    private readonly StringBuilder _log = new();
    private Process? _process;

    public int Id { get; } = id;

    public int ClientPort { get; } = clientPort;

    public int PeerPort { get; } = peerPort;

    public string Address { get; } = $"127.0.0.1:{clientPort}";

    public string DataDirectory { get; } = Path.Combine(directory, $"node-{id}");

    public string ConfigurationFile { get; } = Path.Combine(directory, $"node-{id}.json");

    /// <summary>Everything that the node has logged, over all its lives.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public bool IsRunning => _process is { HasExited: false };

    public void WriteConfiguration(IEnumerable<NodeProcess> all)
    {
        Directory.CreateDirectory(DataDirectory);
        File.WriteAllText(ConfigurationFile, JsonSerializer.Serialize(new
        {
            nodeId = Id,
            dataDirectory = DataDirectory,
            peerListenAddress = "127.0.0.1",
            nodes = all.Select(node => new
            {
                id = node.Id,
                host = "127.0.0.1",
                peerPort = node.PeerPort,
                clientHost = "127.0.0.1",
                clientPort = node.ClientPort,
            }),
            client = new { listenAddress = "127.0.0.1", port = ClientPort },
            storage = new { segmentSize = "64MiB" },
        }));
    }

    public void Start()
    {
        var start = new ProcessStartInfo(Repository.Binary, ["serve", "--config", ConfigurationFile])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Append(line.Data);
        _process.ErrorDataReceived += (_, line) => Append(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    /// <summary>SIGTERM, and the exit code that follows.</summary>
    public async Task<int> StopAsync(TimeSpan deadline)
    {
        Assert.Equal(0, SendSignal(_process!.Id, Terminate));
        using var timeout = new CancellationTokenSource(deadline);
        await _process.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    /// <summary>The exit code of a node that ends by itself.</summary>
    public async Task<int> WaitForEndAsync(TimeSpan deadline)
    {
        using var timeout = new CancellationTokenSource(deadline);
        await _process!.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int processId, int signal);

    private void Append(string? line)
    {
        lock (_log)
        {
            _log.AppendLine(line);
        }
    }
}
