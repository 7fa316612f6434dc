using System.Diagnostics;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Servers;

/// <summary>One server process that this run has started. Gone on dispose, and also when this run is killed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    // A session of its own, so that Ctrl-C ends the run and the run ends its servers; exec, so that the process is the server's.
    private const string Launch = "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null";

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly string _log;
    private readonly string _will;

    private ServerProcess(string name, Process process, string log, string will)
    {
        Name = name;
        _process = process;
        _log = log;
        _will = will;
    }

    /// <summary>For messages, such as <c>nats node 2</c>.</summary>
    public string Name { get; }

    public int Id => _process.Id;

    public bool IsRunning => !_process.HasExited;

    /// <param name="name">For messages.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="log">Takes what it prints.</param>
    /// <param name="undertaker">Kills it if this process dies.</param>
    public static ServerProcess Start(
        string name,
        IEnumerable<string> command,
        IReadOnlyDictionary<string, string> environment,
        string log,
        Undertaker undertaker)
    {
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Launch, "sh", log, .. command]);
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        var process = Process.Start(start) ?? throw new ServerException($"{name} did not start");
        return new ServerProcess(name, process, log, undertaker.LeaveKill(process.Id));
    }

    /// <summary>The last lines that it has printed.</summary>
    public string LogTail(int lines = 5) =>
        File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(lines)) : "";

    /// <summary>kill -9: what it has stored is thrown away with it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            _process.Kill();
        }

        using var limit = new CancellationTokenSource(EndPatience);
        await _process.WaitForExitAsync(limit.Token);
        Undertaker.TearUp(_will);
        _process.Dispose();
    }
}
