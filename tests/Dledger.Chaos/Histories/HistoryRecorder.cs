using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dledger.Chaos.Histories;

/// <summary>Gives every entry its place and time, keeps it, and appends it to the file. Safe for any thread.</summary>
internal sealed class HistoryRecorder : IDisposable
{
    private static readonly JsonSerializerOptions Format = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly Lock _lock = new();
    private readonly List<HistoryEntry> _entries = [];
    private readonly StreamWriter? _file;
    private readonly long _begin = Stopwatch.GetTimestamp();
    private long _handles;
    private int _acked;

    /// <param name="header">First line.</param>
    /// <param name="file">Where to; null: only kept in memory.</param>
    public HistoryRecorder(HistoryHeader header, string? file)
    {
        Header = header;
        _file = file is null ? null : new StreamWriter(file);
        _file?.WriteLine(JsonSerializer.Serialize(header, Format));
    }

    public HistoryHeader Header { get; }

    /// <summary>Nanoseconds since the run began.</summary>
    public long Now => (long)(Stopwatch.GetElapsedTime(_begin).TotalSeconds * 1e9);

    /// <summary>Sends that were acked until now.</summary>
    public int Acked => Volatile.Read(ref _acked);

    /// <summary>A number for a receipt handle.</summary>
    public long NextHandle() => Interlocked.Increment(ref _handles);

    /// <summary>Appends one line.</summary>
    /// <returns>It with place and time.</returns>
    public HistoryEntry Record(HistoryEntry entry)
    {
        lock (_lock)
        {
            var placed = entry with { Index = _entries.Count, Time = Now };
            _entries.Add(placed);
            _acked += entry is { Function: "send", Phase: "ok" } ? 1 : 0;
            _file?.WriteLine(JsonSerializer.Serialize(placed, Format));
            return placed;
        }
    }

    /// <summary>Everything until now.</summary>
    public History Snapshot()
    {
        lock (_lock)
        {
            return new History(Header, [.. _entries]);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _file?.Dispose();
        }
    }
}
