namespace Dledger.Broker.Deduplication;

/// <summary>
/// Messages of one topic that a group is not given while another message of their key is leased. Volatile, the serving leader's only,
/// owned by the apply loop.
/// </summary>
/// <remarks>Saves looking at their records again; a fail-over forgets it and nothing is lost.</remarks>
internal sealed class HeldBack
{
    /// <summary>Above it all are forgotten and looked at again.</summary>
    private const int CountMax = 65_536;

    private readonly Dictionary<(int QueueId, long Offset), UInt128> _keys = [];

    public bool IsEmpty => _keys.Count == 0;

    public void Add(int queueId, long offset, UInt128 key)
    {
        if (_keys.Count >= CountMax)
        {
            _keys.Clear();
        }

        _keys[(queueId, offset)] = key;
    }

    /// <summary>Whether a message has to wait still.</summary>
    public bool Contains(int queueId, long offset, ProcessedKeys keys)
    {
        if (_keys.Count == 0 || !_keys.TryGetValue((queueId, offset), out var key))
        {
            return false;
        }

        if (keys.IsHeld(key))
        {
            return true;
        }

        _keys.Remove((queueId, offset));
        return false;
    }
}
