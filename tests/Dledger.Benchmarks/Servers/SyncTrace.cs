using System.Diagnostics;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Servers;

/// <summary>strace on all nodes of a cluster, counting how often each syncs a file: what an acknowledgement really waits for.</summary>
internal sealed class SyncTrace : IAsyncDisposable
{
    private static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly List<(Process Process, string Log, string Will)> _tracers = [];

    private SyncTrace()
    {
    }

    /// <summary>Attaches to all threads of all nodes.</summary>
    /// <exception cref="ServerException">strace is missing or not allowed.</exception>
    public static async Task<SyncTrace> AttachAsync(
        IServerCluster cluster, Undertaker undertaker, CancellationToken cancellationToken)
    {
        if (!Command.Exists("strace"))
        {
            throw new ServerException("strace is not installed");
        }

        var trace = new SyncTrace();
        try
        {
            foreach (var node in cluster.Nodes)
            {
                await trace.AttachAsync(node.Id, undertaker, cancellationToken);
            }

            return trace;
        }
        catch
        {
            await trace.DisposeAsync();
            throw;
        }
    }

    /// <summary>Detaches; the syncs of each node since the start, in the order of the nodes.</summary>
    public async Task<IReadOnlyList<int>> EndAsync()
    {
        await DetachAsync();
        return [.. _tracers.Select(tracer => CountSyncs(File.ReadLines(tracer.Log)))];
    }

    /// <summary>Calls that put a file on the disk. One that another thread's interrupts is two lines; the first of them counts.</summary>
    public static int CountSyncs(IEnumerable<string> lines) => lines.Count(line =>
        line.Contains(" fsync(", StringComparison.Ordinal) || line.Contains(" fdatasync(", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await DetachAsync();
        _tracers.ForEach(tracer => tracer.Process.Dispose());
    }

    private async Task AttachAsync(int processId, Undertaker undertaker, CancellationToken cancellationToken)
    {
        var log = Path.Combine(undertaker.Directory, $"syncs-{processId}.log");
        var start = new ProcessStartInfo(
            "strace", ["-f", "-q", "-e", "trace=fsync,fdatasync", "-o", log, "-p", $"{processId}"])
        {
            RedirectStandardError = true,
        };
        var process = Process.Start(start) ?? throw new ServerException("strace did not start");
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        _tracers.Add((process, log, undertaker.LeaveKill(process.Id)));
        var isAttached = await Wait.UntilAsync(
            AttachPatience, () => process.HasExited || IsTraced(processId, process.Id), cancellationToken);
        if (!isAttached || process.HasExited)
        {
            throw new ServerException("strace cannot attach");
        }
    }

    private async Task DetachAsync()
    {
        foreach (var (process, _, will) in _tracers)
        {
            if (!process.HasExited)
            {
                Signals.Send(process.Id, Signals.Interrupt);
                using var limit = new CancellationTokenSource(EndPatience);
                try
                {
                    await process.WaitForExitAsync(limit.Token);
                }
                catch (OperationCanceledException)
                {
                    process.Kill();
                }
            }

            Undertaker.TearUp(will);
        }
    }

    private static bool IsTraced(int processId, int tracerId)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{processId}/task").All(task =>
                File.ReadLines(Path.Combine(task, "status")).Contains($"TracerPid:\t{tracerId}"));
        }
        catch (IOException)
        {
            return false;
        }
    }
}
