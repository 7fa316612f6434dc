using System.Diagnostics.CodeAnalysis;
using Dledger.Primitives;

namespace Dledger.Replication.Tails;

/// <summary>The newest frames of the log in memory: [<see cref="Start"/>, <see cref="End"/>).</summary>
/// <remarks>
/// The replication loop adds, cuts and evicts; any thread reads. A frame is evicted only when it is on disk, so between
/// the cache and the CommitLog nothing is ever missing. The lock guards a few operations on references, never a copy of
/// bytes.
/// </remarks>
internal sealed class TailCache(LogPosition end, long bytesMax)
{
    private readonly Lock _lock = new();
    private CachedFrame[] _ring = new CachedFrame[1024];
    private int _head;
    private int _count;
    private LogPosition _end = end;

    /// <summary>Where the cached part begins; equal to <see cref="End"/> when nothing is cached.</summary>
    public LogPosition Start
    {
        get
        {
            lock (_lock)
            {
                return StartUnlocked;
            }
        }
    }

    /// <summary>Position behind the newest frame of the log, cached or not.</summary>
    public LogPosition End
    {
        get
        {
            lock (_lock)
            {
                return _end;
            }
        }
    }

    private LogPosition StartUnlocked => _count == 0 ? _end : At(0).Base;

    /// <summary>Adds the frame that begins at the end.</summary>
    public void Append(CachedFrame frame)
    {
        lock (_lock)
        {
            Invariant.Check(frame.Base == _end, $"frame {frame.Base} goes to the end {_end}");
            if (_count == _ring.Length)
            {
                Grow();
            }

            _ring[(_head + _count) & (_ring.Length - 1)] = frame;
            _count++;
            _end = frame.End;
        }
    }

    /// <summary>Forgets the oldest frames beyond the limit that end at or below <paramref name="onDisk"/>.</summary>
    public void Evict(LogPosition onDisk)
    {
        lock (_lock)
        {
            while (_count > 1 && _end - At(0).Base > bytesMax && At(0).End <= onDisk)
            {
                _ring[_head] = null!;
                _head = (_head + 1) & (_ring.Length - 1);
                _count--;
            }
        }
    }

    /// <summary>Forgets the frames that begin at or behind a position.</summary>
    public void TruncateTo(LogPosition position)
    {
        lock (_lock)
        {
            while (_count > 0 && At(_count - 1).Base >= position)
            {
                _count--;
                _ring[(_head + _count) & (_ring.Length - 1)] = null!;
            }

            Invariant.Check(
                _count == 0 || At(_count - 1).End == position,
                $"the log is cut at a frame boundary, not at {position}");
            _end = position;
        }
    }

    /// <summary>The frame that begins at a position.</summary>
    public bool TryGet(LogPosition @base, [MaybeNullWhen(false)] out CachedFrame frame)
    {
        lock (_lock)
        {
            frame = null;
            var index = FindIndex(@base);
            if (index < 0 || At(index).Base != @base)
            {
                return false;
            }

            frame = At(index);
            return true;
        }
    }

    /// <summary>The frame that ends at a position.</summary>
    public bool TryGetEndingAt(LogPosition end, [MaybeNullWhen(false)] out CachedFrame frame)
    {
        lock (_lock)
        {
            frame = null;
            var index = end == _end ? _count - 1 : FindIndex(end) - 1;
            if (index < 0 || At(index).End != end)
            {
                return false;
            }

            frame = At(index);
            return true;
        }
    }

    /// <summary>
    /// Adds the frames of [from, to) to a list. False when the range does not begin and end at cached frames.
    /// </summary>
    public bool TryCollect(LogPosition from, LogPosition to, List<CachedFrame> frames)
    {
        lock (_lock)
        {
            var index = FindIndex(from);
            if (index < 0 || At(index).Base != from)
            {
                return false;
            }

            while (index < _count && At(index).End <= to)
            {
                frames.Add(At(index));
                from = At(index).End;
                index++;
            }

            return from == to;
        }
    }

    /// <summary>
    /// The end of the last whole frame within <paramref name="bytesMax"/> from a cached frame's base; a larger one
    /// alone.
    /// </summary>
    public bool TryFindRangeEnd(LogPosition from, int bytesMax, out LogPosition end)
    {
        lock (_lock)
        {
            end = from;
            var index = FindIndex(from);
            if (index < 0 || At(index).Base != from)
            {
                return false;
            }

            end = At(index).End;
            for (index++; index < _count && At(index).End - from <= bytesMax; index++)
            {
                end = At(index).End;
            }

            return true;
        }
    }

    /// <summary>Copies cached bytes from a position on; 0 when the position is not cached.</summary>
    public int Read(LogPosition position, Span<byte> destination)
    {
        var copied = 0;
        while (copied < destination.Length && TryGetHolding(position + copied, out var frame))
        {
            // Outside of the lock: frames never change, and a large copy must not hold up the replication loop.
            var source = frame.Bytes.Span[(int)(position + copied - frame.Base)..];
            var length = Math.Min(source.Length, destination.Length - copied);
            source[..length].CopyTo(destination[copied..]);
            copied += length;
        }

        return copied;
    }

    private bool TryGetHolding(LogPosition position, [MaybeNullWhen(false)] out CachedFrame frame)
    {
        lock (_lock)
        {
            var index = FindIndex(position);
            frame = index < 0 ? null : At(index);
            return index >= 0;
        }
    }

    private CachedFrame At(int index) => _ring[(_head + index) & (_ring.Length - 1)];

    // The index of the frame that holds the byte at a position; -1 when no cached frame does.
    private int FindIndex(LogPosition position)
    {
        if (_count == 0 || position < At(0).Base || position >= _end)
        {
            return -1;
        }

        var low = 0;
        var high = _count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (At(middle).Base <= position)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    private void Grow()
    {
        var larger = new CachedFrame[_ring.Length * 2];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = At(i);
        }

        _ring = larger;
        _head = 0;
    }
}
