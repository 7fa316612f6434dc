using Microsoft.Extensions.Logging;

namespace Dledger.Server.Listening;

/// <summary>Passes on what the web server warns of. It would log several lines for each call otherwise.</summary>
internal sealed class WarningsOnly(ILoggerFactory loggers) : ILoggerFactory
{
    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    public ILogger CreateLogger(string categoryName) => new Filter(loggers.CreateLogger(categoryName));

    /// <summary>The loggers belong to whoever made the node.</summary>
    public void Dispose()
    {
    }

    private sealed class Filter(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
