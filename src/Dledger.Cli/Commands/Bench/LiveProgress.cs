using System.Globalization;
using Dledger.Bench.Measuring;
using Dledger.Bench.Running;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Bench;

/// <summary>Shows once a second what the loads of a run do, on one line of a terminal that is written over.</summary>
internal sealed class LiveProgress : IAsyncDisposable
{
    private const double NanosecondsPerMillisecond = 1e6;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Terminal _terminal;
    private readonly BenchRun _run;
    private readonly IBenchClock _clock;
    private readonly CancellationTokenSource _ending = new();
    private readonly Dictionary<LoadMeter, (long Time, long Messages, LatencyHistogram Latencies)> _last = [];
    private Task _showing = Task.CompletedTask;

    private LiveProgress(Terminal terminal, BenchRun run, IBenchClock clock) => (_terminal, _run, _clock) = (terminal, run, clock);

    /// <summary>Shows nothing when nobody watches.</summary>
    public static LiveProgress Start(Terminal terminal, BenchRun run, IBenchClock clock)
    {
        var progress = new LiveProgress(terminal, run, clock);
        if (terminal.IsWatched)
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
        if (_run.Current is not { } phase)
        {
            _last.Clear();
            return "";
        }

        return $"{phase.Name}: {string.Join(" | ", phase.Loads.Select(load => Describe(load.Meter)))}";
    }

    private async Task ShowAsync()
    {
        const string clear = "\r\x1b[K";
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_ending.Token))
            {
                _terminal.Error.Write(clear + Line());
            }
        }
        catch (OperationCanceledException)
        {
            _terminal.Error.Write(clear);
        }
    }

    private string Describe(LoadMeter meter)
    {
        var (now, messages, latencies) = (_clock.Now, meter.Messages, meter.Latencies());
        var (since, before, earlier) = _last.TryGetValue(meter, out var last) ? last : (now, messages, latencies);
        _last[meter] = (now, messages, latencies);
        var seconds = Math.Max((now - since) / 1e9, 1e-3);
        var recent = latencies.Since(earlier);
        var failed = meter.Failures is var failures && failures > 0 ? $", {failures} failed" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{meter.Name} {(messages - before) / seconds:0} msg/s, p50 {recent.PercentileNanoseconds(0.5) / NanosecondsPerMillisecond:0.00} ms, ")
            + string.Create(CultureInfo.InvariantCulture, $"p99 {recent.PercentileNanoseconds(0.99) / NanosecondsPerMillisecond:0.00} ms{failed}");
    }
}
