using System.Diagnostics;

namespace Dledger.Chaos.Machines;

/// <summary>strace, attached to a running node, tampering with system calls of it.</summary>
internal sealed class Tracer : IAsyncDisposable
{
    private static readonly string[] Marks = ["(INJECTED)", "(DELAYED)"];

    private static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly string _log;
    private readonly string _will;

    private Tracer(Process process, string log, string will)
    {
        _process = process;
        _log = log;
        _will = will;
    }

    /// <summary>How many calls were tampered with.</summary>
    public int Count => Lines.Count(IsMarked);

    /// <summary>When the first of them was, by the wall clock; null: none was.</summary>
    public DateTimeOffset? First => Lines.FirstOrDefault(IsMarked) is { } line ? TimeOf(line) : null;

    /// <summary>Calls that it has seen, tampered with or not.</summary>
    public IEnumerable<string> Lines => File.Exists(_log) ? File.ReadLines(_log) : [];

    /// <summary>Attaches to all threads of a process and returns once it sees calls or is known to be there.</summary>
    /// <param name="processId">A node of ours.</param>
    /// <param name="calls">Names of system calls with commas.</param>
    /// <param name="action">What strace shall inject, such as <c>error=EIO</c>.</param>
    /// <param name="undertaker">Detaches if we die.</param>
    public static async Task<Tracer> AttachAsync(int processId, string calls, string action, Undertaker undertaker)
    {
        var log = Path.Combine(undertaker.Directory, $"strace-{processId}-{Guid.NewGuid():N}.log");
        var start = new ProcessStartInfo(
            "strace",
            ["-f", "-q", "-ttt", "-o", log, "-p", $"{processId}", "-e", $"trace={calls}", "-e", $"inject={calls}:{action}"])
        {
            RedirectStandardError = true,
        };
        var process = Process.Start(start) ?? throw new ChaosException("cannot start strace");
        var tracer = new Tracer(process, log, undertaker.LeaveKill(process.Id));
        var isThere = await Wait.UntilAsync(
            AttachPatience, () => TracerOf(processId) == process.Id || process.HasExited, CancellationToken.None);
        if (!isThere || process.HasExited)
        {
            var error = process.HasExited ? await process.StandardError.ReadToEndAsync() : "not attached in time";
            await tracer.DisposeAsync();
            throw new ChaosException($"strace cannot attach: {error.Trim()}");
        }

        return tracer;
    }

    /// <summary>The time in a line such as <c>4711 1763757600.123456 fdatasync(...)</c>.</summary>
    public static DateTimeOffset TimeOf(string line) => DateTimeOffset.UnixEpoch.AddSeconds(double.Parse(
        line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Detaches; the process goes on untouched.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, Signals.Interrupt);
            using var limit = new CancellationTokenSource(EndPatience);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        Undertaker.TearUp(_will);
        _process.Dispose();
    }

    private static bool IsMarked(string line) => Marks.Any(mark => line.Contains(mark, StringComparison.Ordinal));

    private static int TracerOf(int processId)
    {
        try
        {
            var line = File.ReadLines($"/proc/{processId}/status").First(text => text.StartsWith("TracerPid", StringComparison.Ordinal));
            return int.Parse(line.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
