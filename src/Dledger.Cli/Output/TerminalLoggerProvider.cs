using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Dledger.Cli.Output;

/// <summary>Writes log lines to a stream of the terminal: time in UTC, level, event, message. One line each.</summary>
/// <remarks>Safe for any thread; a line is written whole. The writer is not closed.</remarks>
internal sealed class TerminalLoggerProvider(TextWriter writer, TimeProvider time) : ILoggerProvider
{
    private readonly Lock _writing = new();

    public ILogger CreateLogger(string categoryName) => new TerminalLogger(this);

    public void Dispose()
    {
    }

    private void Write(LogLevel level, EventId id, string message, Exception? exception)
    {
        var now = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var line = $"{now} {NameOf(level)} {id.Id} {message}{(exception is null ? "" : $" | {exception}")}";
        lock (_writing)
        {
            writer.WriteLine(line);
            writer.Flush();
        }
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    private sealed class TerminalLogger(TerminalLoggerProvider provider) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                provider.Write(logLevel, eventId, formatter(state, exception), exception);
            }
        }
    }
}
