using System.Collections.Concurrent;
using Dledger.Bench.Running;

namespace Dledger.Bench.Measuring;

/// <summary>Counts what one load did inside its window: messages, bytes, latencies, and failures by kind. Safe for any thread.</summary>
public sealed class LoadMeter
{
    // Workers record into histograms of their own as far as that is no waste: more of them than cores never meet in one.
    private const int StripesMax = 16;
    private const int ErrorKindsMax = 16;
    private const string OtherKinds = "other";

    private readonly LatencyHistogram[] _latencies;
    private readonly LatencyHistogram _lateness = new();
    private readonly ConcurrentDictionary<string, BenchError> _errors = new(StringComparer.Ordinal);
    private LoadWindow _window = new(0, 0, long.MaxValue);
    private long _messages;
    private long _bytes;
    private long _calls;
    private long _last;

    /// <param name="name">The row in tables.</param>
    /// <param name="workerCount">Calls at the same time; numbers of workers are below this.</param>
    /// <param name="batchCount">Most messages of one call.</param>
    public LoadMeter(string name, int workerCount, int batchCount)
    {
        (Name, WorkerCount, BatchCount) = (name, workerCount, batchCount);
        _latencies = [.. Enumerable.Range(0, Math.Clamp(workerCount, 1, StripesMax)).Select(_ => new LatencyHistogram())];
    }

    public string Name { get; }

    /// <summary>Calls at the same time.</summary>
    public int WorkerCount { get; }

    /// <summary>Most messages of one call.</summary>
    public int BatchCount { get; }

    /// <summary>Counted so far.</summary>
    public long Messages => Volatile.Read(ref _messages);

    /// <summary>Bytes of bodies counted so far.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Failed calls inside the window so far.</summary>
    public long Failures => _errors.Values.Sum(error => error.Count);

    /// <summary>What is recorded from here on belongs to this window.</summary>
    public void Open(LoadWindow window) => _window = window;

    /// <summary>A call ended well.</summary>
    /// <param name="worker">Who made it.</param>
    /// <param name="begun">When it began, or should have begun.</param>
    /// <param name="ended">When it ended.</param>
    /// <param name="messages">Messages of it.</param>
    /// <param name="bytes">Bytes of their bodies.</param>
    public void Count(int worker, long begun, long ended, int messages, long bytes)
    {
        if (begun < _window.MeasuredFrom)
        {
            return;
        }

        Interlocked.Add(ref _messages, messages);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Increment(ref _calls);
        _latencies[worker % _latencies.Length].Record(ended - begun);
        Volatile.Write(ref _last, Math.Max(ended, Volatile.Read(ref _last)));
    }

    /// <summary>Messages came, each with a latency of its own: <see cref="Latency"/> follows for each.</summary>
    public void CountReceived(long now, int messages, long bytes)
    {
        if (now < _window.MeasuredFrom)
        {
            return;
        }

        Interlocked.Add(ref _messages, messages);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Increment(ref _calls);
        Volatile.Write(ref _last, Math.Max(now, Volatile.Read(ref _last)));
    }

    /// <summary>The latency of one message, from the moment at which it should have been sent.</summary>
    public void Latency(int worker, long intended, long now)
    {
        if (intended >= _window.MeasuredFrom)
        {
            _latencies[worker % _latencies.Length].Record(now - intended);
        }
    }

    /// <summary>How much later than it should a call began.</summary>
    public void Late(long intended, long begun)
    {
        if (intended >= _window.MeasuredFrom)
        {
            _lateness.Record(begun - intended);
        }
    }

    /// <summary>A call failed. Also counted in the warm-up: a run that begins badly should say so.</summary>
    /// <param name="exception">Its type is the kind.</param>
    /// <param name="count">How often, above 0.</param>
    public void Failed(Exception exception, long count = 1)
    {
        var kind = KindOf(exception);
        if (_errors.Count >= ErrorKindsMax && !_errors.ContainsKey(kind))
        {
            kind = OtherKinds;
        }

        _errors.AddOrUpdate(
            kind,
            static (_, first) => new BenchError(first.Count, first.Exception.Message),
            static (_, known, next) => known with { Count = known.Count + next.Count },
            (Exception: exception, Count: count));
    }

    /// <summary>All latencies so far: a copy.</summary>
    public LatencyHistogram Latencies() => LatencyHistogram.Merge(_latencies);

    /// <summary>What was counted, to be read after the end of the window.</summary>
    public LoadResult Result()
    {
        // What was under way at the end of the window is counted, so the time goes to the last of it.
        var until = Math.Max(_window.End, Volatile.Read(ref _last));
        return new LoadResult(
            Name,
            WorkerCount,
            BatchCount,
            Messages,
            Bytes,
            Volatile.Read(ref _calls),
            Math.Max(0, until - _window.MeasuredFrom) / 1e9,
            LatencySummary.Of(Latencies()),
            _lateness.Count == 0 ? null : LatencySummary.Of(_lateness),
            new SortedDictionary<string, BenchError>(_errors, StringComparer.Ordinal));
    }

    private static string KindOf(Exception exception)
    {
        const string suffix = "Exception";
        var name = exception.GetType().Name;
        return name.EndsWith(suffix, StringComparison.Ordinal) && name.Length > suffix.Length ? name[..^suffix.Length] : name;
    }
}
