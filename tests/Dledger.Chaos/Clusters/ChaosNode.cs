using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Clusters;

/// <summary>One node: where it lives, and its process while it runs. Safe for any thread; one fault at a time acts on it.</summary>
internal sealed class ChaosNode(NodePlace place, HistoryRecorder recorder, Undertaker undertaker, string binary)
{
    /// <summary>
    /// Bytes that the managed heap of a node may have. The runtime leaves garbage lying while the machine has room, which says nothing; a
    /// node that keeps what it should let go of meets this bound and dies of it.
    /// </summary>
    public const long HeapBytesMax = 320L << 20;

    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private Process? _process;
    private string? _will;
    private MachineBoot? _boot;
    private TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public NodePlace Place { get; } = place;

    public int Id => Place.Id;

    /// <summary>How often it was started.</summary>
    public int Life { get; private set; }

    public int ProcessId => _process?.Id ?? 0;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The end of this life was asked for, so it is no surprise.</summary>
    public bool MayEnd { get; set; }

    /// <summary>Ends of lives that nobody asked for.</summary>
    public List<string> Surprises { get; } = [];

    /// <summary>Variables for the next lives.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Ends with the exit code; 137 for kill -9.</summary>
    public Task<int> Ended => _ended.Task;

    /// <summary>Writes what it is started with.</summary>
    /// <param name="all">The nodes that it knows, itself among them.</param>
    /// <param name="flushMode">QUORUM_SYNC or QUORUM_ASYNC.</param>
    /// <param name="storage">Further options of the storage, by key.</param>
    public void WriteConfiguration(
        IEnumerable<NodePlace> all, string flushMode, IReadOnlyDictionary<string, string> storage)
    {
        Directory.CreateDirectory(Place.DataDirectory);
        File.WriteAllText(Place.ConfigurationFile, JsonSerializer.Serialize(new
        {
            nodeId = Id,
            dataDirectory = Place.DataDirectory,
            peerListenAddress = Place.Host,
            nodes = all.Select(node => new
            {
                id = node.Id,
                host = node.Host,
                peerPort = node.PeerPort,
                clientHost = node.Host,
                clientPort = node.ClientPort,
            }),
            client = new { listenAddress = Place.Host, port = Place.ClientPort },
            storage = new Dictionary<string, string>(storage) { ["flushMode"] = flushMode },
        }));
    }

    /// <summary>Starts the program. A wrapper must replace itself by it, so that the process is the node's.</summary>
    public void Start(params IEnumerable<string> wrapper)
    {
        string[] command = [.. Place.LaunchPrefix, .. _boot?.LaunchPrefix ?? [], .. wrapper, binary, "serve", "--config", Place.ConfigurationFile];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapBytesMax.ToString("x", CultureInfo.InvariantCulture);
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = TextWriter.Synchronized(new StreamWriter(Place.LogFile, append: true) { AutoFlush = true });
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Write(log, line.Data);
        process.ErrorDataReceived += (_, line) => Write(log, line.Data);
        process.Exited += (_, _) => OnExit(process, ended);
        MayEnd = false;
        Life++;
        _ended = ended;
        process.Start();
        _process = process;
        _will = undertaker.LeaveKill(process.Id);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        recorder.Record(new HistoryEntry { Function = "node", Node = Id, Event = "start", Life = Life });
    }

    /// <summary>Its machine has started anew: from the next life on the node sees another boot id of the kernel.</summary>
    /// <param name="foreign">Mounts of other nodes, which its life must not hold.</param>
    public void Reboot(IEnumerable<string> foreign) =>
        _boot = MachineBoot.Create(Path.Combine(undertaker.Directory, $"boot-{Id}"), foreign);

    /// <summary>Empties the data directory; the node must not run.</summary>
    public void Wipe()
    {
        Directory.Delete(Place.DataDirectory, recursive: true);
        Directory.CreateDirectory(Place.DataDirectory);
    }

    /// <summary>kill -9, and its end.</summary>
    public async Task KillAsync()
    {
        MayEnd = true;
        if (IsRunning)
        {
            Signals.Send(ProcessId, Signals.Kill);
            await Ended.WaitAsync(KillPatience);
        }
    }

    /// <summary>SIGTERM, and the exit code; null when it did not end in time.</summary>
    public async Task<int?> StopAsync(TimeSpan deadline)
    {
        MayEnd = true;
        if (!IsRunning)
        {
            return 0;
        }

        Signals.Send(ProcessId, Signals.Terminate);
        try
        {
            return await Ended.WaitAsync(deadline);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>SIGSTOP or SIGCONT.</summary>
    public void Signal(int signal)
    {
        if (IsRunning)
        {
            Signals.Send(ProcessId, signal);
        }
    }

    /// <summary>The state letter of the process, such as T for stopped; a question mark when it is gone.</summary>
    public char ProcessState()
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{ProcessId}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return '?';
        }
    }

    /// <summary>The last lines that it has logged.</summary>
    public string LogTail(int lines) =>
        File.Exists(Place.LogFile) ? string.Join('\n', File.ReadAllLines(Place.LogFile).TakeLast(lines)) : "";

    private static void Write(TextWriter log, string? line)
    {
        if (line is not null)
        {
            log.WriteLine(line);
        }
    }

    private void OnExit(Process process, TaskCompletionSource<int> ended)
    {
        var code = process.ExitCode;
        Undertaker.TearUp(_will);
        recorder.Record(new HistoryEntry
        {
            Function = "node",
            Node = Id,
            Event = "exit",
            Life = Life,
            Error = code.ToString(System.Globalization.CultureInfo.InvariantCulture),
        });
        lock (_lock)
        {
            if (!MayEnd)
            {
                Surprises.Add($"node {Id} ended with code {code} in life {Life}");
            }
        }

        ended.TrySetResult(code);
    }
}
