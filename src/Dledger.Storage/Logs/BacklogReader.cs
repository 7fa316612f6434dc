using System.Runtime.InteropServices;
using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>
/// Reads what lies behind the end of a log for those who go through it: in large pieces past the page cache, kept in a few chunks.
/// </summary>
/// <remarks>
/// Queues lie interleaved in the log, so readers of several queues, or groups, ask for the same chunks. Only bytes that cannot change any
/// more come into a chunk. A single small read somewhere is left to the page cache: a chunk is read for a large one, or when several
/// small ones met it. Any thread.
/// </remarks>
internal sealed class BacklogReader(ReadableLog readable)
{
    /// <summary>Bytes of a chunk, the unit of reading.</summary>
    public const int ChunkBytes = 512 << 10;

    /// <summary>Reads of this size go through a chunk at once.</summary>
    public const int LargeReadBytes = 16 << 10;

    private const int ChunkCount = 24;
    private const int MissCount = 16;

    /// <summary>So many small reads of a chunk say that somebody goes through it.</summary>
    private const int MissesOfReader = 4;

    private readonly Lock _lock = new();
    private readonly Chunk[] _chunks = [.. Enumerable.Range(0, ChunkCount).Select(static _ => new Chunk())];
    private readonly (LogPosition Start, int Count)[] _misses = new (LogPosition, int)[MissCount];
    private int _nextMiss;
    private long _uses;

    /// <summary>
    /// Copies bytes from <paramref name="position"/> on, as <see cref="CommitLog.Read"/>.
    /// </summary>
    /// <param name="position">The first.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="settled">What lies before it is on disk and never changes.</param>
    public int Read(LogPosition position, Span<byte> destination, LogPosition settled)
    {
        var done = 0;
        while (done < destination.Length)
        {
            var read = ReadChunk(position + done, destination[done..], settled);
            if (read == 0)
            {
                return done + readable.Read(position + done, destination[done..]);
            }

            done += read;
        }

        return done;
    }

    /// <summary>Something was written over bytes of the log: they are read from the disk again.</summary>
    public void Forget()
    {
        foreach (var chunk in _chunks)
        {
            lock (chunk.Gate)
            {
                chunk.Loaded = null;
            }
        }
    }

    private int ReadChunk(LogPosition position, Span<byte> destination, LogPosition settled)
    {
        var segments = readable.Segments;
        var index = Segment.FindIndex(segments, position);
        if (index < 0)
        {
            return 0;
        }

        var segment = segments[index];
        var start = segment.Base + ((position - segment.Base) / ChunkBytes * ChunkBytes);
        var end = start + ChunkBytes;
        if (index + 1 < segments.Length)
        {
            end = LogPosition.Min(end, segments[index + 1].Base);
        }

        if (end > settled || Find(start, destination.Length) is not { } chunk)
        {
            return 0;
        }

        lock (chunk.Gate)
        {
            // Given to others while this thread waited for it.
            if (chunk.Wanted != start || (chunk.Loaded != start && !TryLoad(chunk, segment, start, (int)(end - start))))
            {
                return 0;
            }

            var from = (int)(position - start);
            var count = (int)Math.Min(destination.Length, end - position);
            chunk.Bytes.Slice(from, count).CopyTo(destination);
            return count;
        }
    }

    private Chunk? Find(LogPosition start, int length)
    {
        lock (_lock)
        {
            var oldest = _chunks[0];
            foreach (var chunk in _chunks)
            {
                if (chunk.Wanted == start)
                {
                    chunk.UsedAt = ++_uses;
                    return chunk;
                }

                oldest = chunk.UsedAt < oldest.UsedAt ? chunk : oldest;
            }

            if (length < LargeReadBytes && !IsReadThrough(start))
            {
                return null;
            }

            oldest.Wanted = start;
            oldest.UsedAt = ++_uses;
            return oldest;
        }
    }

    private bool IsReadThrough(LogPosition start)
    {
        for (var i = 0; i < _misses.Length; i++)
        {
            if (_misses[i].Count > 0 && _misses[i].Start == start)
            {
                return ++_misses[i].Count >= MissesOfReader;
            }
        }

        _misses[_nextMiss] = (start, 1);
        _nextMiss = (_nextMiss + 1) % _misses.Length;
        return false;
    }

    private bool TryLoad(Chunk chunk, Segment segment, LogPosition start, int length)
    {
        chunk.Loaded = null;
        if (!segment.TryAcquire())
        {
            return false;
        }

        try
        {
            var whole = (length + DiskPage.Bytes - 1) / DiskPage.Bytes * DiskPage.Bytes;
            if (segment.File.ReadUncached(segment.FileOffset(start), chunk.Bytes[..whole]) < length)
            {
                return false;
            }

            // Whoever replaces the log forgets the chunks afterwards: what comes later must be of the new one.
            if (!readable.Segments.Contains(segment))
            {
                return false;
            }

            chunk.Loaded = start;
            return true;
        }
        catch (StorageFaultException)
        {
            // One bad place must not hide the rest: who asked for it meets it when only that is read.
            return false;
        }
        finally
        {
            segment.Release();
        }
    }

    /// <summary>A place for one chunk. <see cref="Wanted"/> and UsedAt belong to the reader's lock, the rest to the gate.</summary>
    private sealed class Chunk
    {
        // Pinned, so that it stays aligned.
        private byte[]? _array;
        private int _aligned;
        private long _wanted = -1;

        public object Gate { get; } = new();

        public LogPosition? Wanted
        {
            get => Volatile.Read(ref _wanted) is >= 0 and var start ? new LogPosition(start) : null;
            set => Volatile.Write(ref _wanted, value?.Value ?? -1);
        }

        public long UsedAt { get; set; }

        public LogPosition? Loaded { get; set; }

        public Span<byte> Bytes
        {
            get
            {
                if (_array is null)
                {
                    _array = GC.AllocateUninitializedArray<byte>(ChunkBytes + DiskPage.Bytes, pinned: true);
                    _aligned = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0) & (DiskPage.Bytes - 1));
                }

                return _array.AsSpan(_aligned, ChunkBytes);
            }
        }
    }
}
