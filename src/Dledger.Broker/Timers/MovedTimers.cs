namespace Dledger.Broker.Timers;

/// <summary>
/// Where messages wait that got another delivery time after they were stored, so that the handle of their sender still finds them.
/// Replicated state, owned by the apply loop.
/// </summary>
internal sealed class MovedTimers
{
    /// <summary>Most of them; more moves are refused until some are delivered.</summary>
    public const int CountMax = 1_000_000;

    private readonly Dictionary<long, TimerKey> _byOrigin = [];
    private readonly Dictionary<long, long> _originByPosition = [];

    public int Count => _byOrigin.Count;

    /// <summary>Bytes of memory, about.</summary>
    public long MemoryBytes => _byOrigin.Count * 80L;

    /// <summary>In the order of their first positions.</summary>
    public IEnumerable<(long Origin, TimerKey Key)> All =>
        _byOrigin.OrderBy(static pair => pair.Key).Select(static pair => (pair.Key, pair.Value));

    /// <summary>Where the message waits that was stored here first; null when it was not moved, or waits no more.</summary>
    public TimerKey? Find(long origin) => _byOrigin.TryGetValue(origin, out var key) ? key : null;

    /// <summary>Where the message lay first that waits here, when it was moved; else null.</summary>
    public long? OriginOf(TimerKey key) =>
        _originByPosition.TryGetValue(key.Position, out var origin) ? origin : null;

    /// <summary>A message waits here now.</summary>
    public void Put(long origin, TimerKey key)
    {
        if (_byOrigin.Remove(origin, out var old))
        {
            _originByPosition.Remove(old.Position);
        }

        _byOrigin.Add(origin, key);
        _originByPosition.Add(key.Position, origin);
    }

    /// <summary>What waited here waits no more; where it lay first, when it was moved.</summary>
    public long? Remove(TimerKey key)
    {
        if (!_originByPosition.Remove(key.Position, out var origin))
        {
            return null;
        }

        _byOrigin.Remove(origin);
        return origin;
    }
}
