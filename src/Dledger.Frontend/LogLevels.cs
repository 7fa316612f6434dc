using Microsoft.Extensions.Logging;

namespace Dledger.Frontend;

/// <summary>The least level that a node logs, which can be changed while it runs. Safe for any thread.</summary>
public sealed class LogLevels(LogLevel least)
{
    private volatile int _least = (int)least;

    /// <summary>Events below it are dropped.</summary>
    public LogLevel Least
    {
        get => (LogLevel)_least;
        set => _least = (int)value;
    }

    /// <summary>For the filter of a logger factory.</summary>
    public bool Allows(LogLevel level) => (int)level >= _least;
}
