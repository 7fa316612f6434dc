using Dledger.ClusterSimulation.Reports;
using Microsoft.Extensions.Logging;

namespace Dledger.ClusterSimulation.Nodes;

/// <summary>Puts the log lines of a process into the trace of a replayed run.</summary>
internal sealed class TraceLoggers(Trace trace, SimulatedNode node) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // The trace is the only place for these lines.
    }

    public void Dispose()
    {
        // Holds nothing.
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        trace.Line(node, $"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
}
