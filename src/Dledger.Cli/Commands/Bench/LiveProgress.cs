using System.Globalization;
using Dledger.Bench.Measuring;
using Dledger.Bench.Running;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Bench;

/// <summary>Shows once a second what the loads of a run do, on one line of a terminal that is written over.</summary>
internal sealed class LiveProgress : IAsyncDisposable
{
    private const string ClearLine = "\r\x1b[K";
    private const double NanosecondsPerMillisecond = 1e6;
    private const double NanosecondsPerSecond = 1e9;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Terminal _terminal;
    private readonly BenchRun _run;
    private readonly CancellationTokenSource _ending = new();
    private readonly Dictionary<LoadMeter, (long Time, long Messages, LatencyHistogram Latencies)> _last = [];
    private Task _showing = Task.CompletedTask;
    private PhaseUnderWay? _shown;

    internal LiveProgress(Terminal terminal, BenchRun run) => (_terminal, _run) = (terminal, run);

    /// <summary>Shows nothing when nobody watches.</summary>
    public static LiveProgress Start(Terminal terminal, BenchRun run)
    {
        var progress = new LiveProgress(terminal, run);
        if (terminal.ErrorWidth > 0)
        {
            progress._showing = progress.ShowAsync();
        }

        return progress;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _showing;
        _ending.Dispose();
    }

    /// <summary>What a phase did since it was asked for the last time; empty between phases.</summary>
    internal string Line()
    {
        if (_run.Current is not { } current)
        {
            return "";
        }

        if (_shown != current)
        {
            _last.Clear();
            _shown = current;
        }

        var now = _run.Clock.Now;
        return now < current.Window.MeasuredFrom
            ? $"{current.Phase.Name}: warming up"
            : $"{current.Phase.Name}: {string.Join(" | ", current.Phase.Loads.Select(load => Describe(load.Meter, now, current.Window)))}";
    }

    private async Task ShowAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_ending.Token))
            {
                var line = Line();
                _terminal.Error.Write(ClearLine + line[..Math.Min(line.Length, _terminal.ErrorWidth - 1)]);
            }
        }
        catch (OperationCanceledException)
        {
            _terminal.Error.Write(ClearLine);
        }
    }

    private string Describe(LoadMeter meter, long now, LoadWindow window)
    {
        var (messages, latencies) = (meter.Messages, meter.Latencies());
        var (since, before, earlier) = _last.TryGetValue(meter, out var last)
            ? last
            : (window.MeasuredFrom, 0, new LatencyHistogram());
        _last[meter] = (now, messages, latencies);
        var rate = (messages - before) / Math.Max((now - since) / NanosecondsPerSecond, 0.001);
        var recent = latencies.Since(earlier);
        var failed = meter.Failures is var failures && failures > 0 ? $", {failures} failed" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{meter.Name} {rate:0} msg/s, p50 {Milliseconds(recent, 0.5):0.00} ms, p99 {Milliseconds(recent, 0.99):0.00} ms{failed}");
    }

    private static double Milliseconds(LatencyHistogram histogram, double share) =>
        histogram.PercentileNanoseconds(share) / NanosecondsPerMillisecond;
}
