namespace Dledger.Broker.Groups;

/// <summary>
/// The unfinished messages of one message group in one queue, as far as the cursor has looked. Replicated state by derivation: it is
/// rebuilt from the deliveries.
/// </summary>
/// <remarks>
/// Offsets join at the end, but for those that are replayed. Those that finish are dropped when they reach an end of the list, so most
/// operations cost the same whatever the length.
/// </remarks>
internal sealed class OrderLane(SeededDefect defect)
{
    private const int CompactAt = 64;

    private readonly List<long> _offsets = [];
    private int _first;

    /// <summary>The smallest unfinished offset, -1 when there is none; as of the last <see cref="Trim"/>.</summary>
    public long Head => _first < _offsets.Count ? _offsets[_first] : -1;

    /// <summary>The head as it stands among those that may be handed out; -1 when it does not.</summary>
    public long ReadyHead { get; set; } = -1;

    /// <summary>
    /// Ascending from the head on; finished ones may be among them.
    /// </summary>
    public ReadOnlySpan<long> Offsets => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_offsets)[_first..];

    /// <summary>Messages of the lane that are handed out.</summary>
    public int LeasedCount { get; set; }

    /// <summary>A new offset, above all others.</summary>
    public void Add(long offset) => _offsets.Add(offset);

    /// <summary>An offset that had been finished and is not any more, at its place.</summary>
    public void Insert(long offset)
    {
        var index = _offsets.BinarySearch(_first, _offsets.Count - _first, offset, null);
        if (index < 0)
        {
            _offsets.Insert(~index, offset);
        }
    }

    /// <summary>Drops finished offsets at both ends.</summary>
    public void Trim(DeliveryStore deliveries)
    {
        while (_first < _offsets.Count && IsOver(deliveries, _offsets[_first]))
        {
            _first++;
        }

        while (_first < _offsets.Count && IsOver(deliveries, _offsets[^1]))
        {
            _offsets.RemoveAt(_offsets.Count - 1);
        }

        if (_first >= CompactAt && _first * 2 >= _offsets.Count)
        {
            _offsets.RemoveRange(0, _first);
            _first = 0;
        }
    }

    private bool IsOver(DeliveryStore deliveries, long offset) =>
        !deliveries.Contains(offset)
        || deliveries.At(offset).State == DeliveryState.Done
        || (defect == SeededDefect.ParkedMessageOvertaken && deliveries.At(offset).State == DeliveryState.Parked)
        || (defect == SeededDefect.ObligedMessageOvertaken && deliveries.At(offset).State == DeliveryState.Obliged)
        || (defect == SeededDefect.MessageGroupShared && deliveries.At(offset).State == DeliveryState.Leased);
}
