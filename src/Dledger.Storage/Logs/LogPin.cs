using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Keeps the log from a position on, until it is disposed. For a snapshot that is being sent.</summary>
/// <remarks>Any thread.</remarks>
public sealed class LogPin : IDisposable
{
    private readonly LogPins _pins;

    internal LogPin(LogPins pins, in ChainTail start)
    {
        _pins = pins;
        Start = start;
    }

    /// <summary>The frame before the first position kept.</summary>
    public ChainTail Start { get; }

    /// <summary>The first position kept.</summary>
    public LogPosition From => Start.End;

    /// <summary>Gives the log free; once.</summary>
    public void Dispose() => _pins.Remove(this);
}

/// <summary>The pins of a log. Any thread.</summary>
internal sealed class LogPins
{
    private readonly Lock _lock = new();
    private readonly List<LogPin> _held = [];

    /// <summary>Pins what <paramref name="start"/> answers; no advance comes in between.</summary>
    public LogPin Add(Func<ChainTail> start)
    {
        lock (_lock)
        {
            var pin = new LogPin(this, start());
            _held.Add(pin);
            return pin;
        }
    }

    public void Remove(LogPin pin)
    {
        lock (_lock)
        {
            _held.Remove(pin);
        }
    }

    /// <summary>The lowest of a position and all that is pinned.</summary>
    public LogPosition Lowest(LogPosition position)
    {
        lock (_lock)
        {
            return _held.Aggregate(position, (lowest, pin) => LogPosition.Min(lowest, pin.From));
        }
    }

    /// <summary>Runs an advance that keeps what is pinned: it gets the highest start allowed.</summary>
    public void Advance(LogPosition wanted, Action<LogPosition> advance)
    {
        lock (_lock)
        {
            advance(_held.Aggregate(wanted, (lowest, pin) => LogPosition.Min(lowest, pin.From)));
        }
    }
}
