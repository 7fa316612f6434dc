namespace Dledger.Chaos.Networks;

/// <summary>A line of little bandwidth: frames leave one after the other at a steady rate, and those that find the queue in
/// front of it full are dropped. A token bucket whose bucket holds one frame. Safe for any thread.</summary>
/// <param name="bytesPerSecond">Of the line; positive.</param>
/// <param name="queueBytesMax">What waits at most.</param>
/// <param name="frequency">Ticks of the clock a second.</param>
internal sealed class LinkShaper(long bytesPerSecond, int queueBytesMax, long frequency)
{
    private readonly Lock _lock = new();

    // When the last frame that was taken has left the line.
    private long _free = long.MinValue;
    private long _passed;
    private long _dropped;

    /// <summary>Bytes that were taken.</summary>
    public long PassedBytes => Volatile.Read(ref _passed);

    /// <summary>Frames that were dropped.</summary>
    public long DroppedFrames => Volatile.Read(ref _dropped);

    /// <summary>A frame comes to the line; false: it is dropped.</summary>
    /// <param name="now">Ticks; never less than before.</param>
    /// <param name="bytes">Of the frame.</param>
    /// <param name="due">When its last byte leaves; later than that of every frame before.</param>
    public bool TryTake(long now, int bytes, out long due)
    {
        lock (_lock)
        {
            var begin = Math.Max(now, _free);
            var waiting = (begin - now) * bytesPerSecond / frequency;
            if (waiting + bytes > queueBytesMax)
            {
                _dropped++;
                due = 0;
                return false;
            }

            // Rounded up, so that never more passes than the line carries.
            _free = begin + (((bytes * frequency) + bytesPerSecond - 1) / bytesPerSecond);
            _passed += bytes;
            due = _free;
            return true;
        }
    }
}
