using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>Keeps log lines in memory, so that a failed test can show them and others can look for one.</summary>
internal sealed class CollectedLog(string name) : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(
            $"{TimeProvider.System.GetUtcNow():mm:ss.fff} {name} {eventId.Name}: {formatter(state, exception)} {exception}");

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose()
    {
    }
}
