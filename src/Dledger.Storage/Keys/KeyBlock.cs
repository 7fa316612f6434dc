using Dledger.Primitives;

namespace Dledger.Storage.Keys;

/// <summary>Entries in memory, in the order of the log. One writer; any thread reads what was there when it began.</summary>
internal sealed class KeyBlock(LogPosition start)
{
    private const int CapacityMin = 64;

    private Columns _columns = new([], []);
    private int _count;

    /// <summary>All entries of the log from here on are in the block, up to its end.</summary>
    public LogPosition Start => start;

    /// <summary>Behind the frame of the newest entry once the block is sealed.</summary>
    public LogPosition End { get; private set; }

    /// <summary>Header checksum of the frame that ends at <see cref="End"/>.</summary>
    public uint EndHeaderCrc { get; private set; }

    public int Count => Volatile.Read(ref _count);

    public void Add(ulong hash, long position)
    {
        var columns = _columns;
        if (_count == columns.Hashes.Length)
        {
            columns = columns.Grown(Math.Max(CapacityMin, _count * 2));
            Volatile.Write(ref _columns, columns);
        }

        columns.Hashes[_count] = hash;
        columns.Positions[_count] = position;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>Nothing is added any more.</summary>
    public void Seal(LogPosition end, uint headerCrc)
    {
        End = end;
        EndHeaderCrc = headerCrc;
    }

    /// <summary>Positions of a hash, ascending.</summary>
    public void Find(ulong hash, List<long> found)
    {
        // The count before the columns: columns that are newer hold at least as much.
        var count = Count;
        var columns = Volatile.Read(ref _columns);
        var hashes = columns.Hashes.AsSpan(0, count);
        for (var at = 0; at < count;)
        {
            var next = hashes[at..].IndexOf(hash);
            if (next < 0)
            {
                return;
            }

            at += next;
            found.Add(columns.Positions[at]);
            at++;
        }
    }

    /// <summary>A sealed block's entries, in no order.</summary>
    public void CopyTo(List<KeyEntry> entries)
    {
        for (var i = 0; i < _count; i++)
        {
            entries.Add(new KeyEntry(_columns.Hashes[i], _columns.Positions[i]));
        }
    }

    private sealed record Columns(ulong[] Hashes, long[] Positions)
    {
        public Columns Grown(int capacity)
        {
            var grown = new Columns(new ulong[capacity], new long[capacity]);
            Hashes.CopyTo(grown.Hashes, 0);
            Positions.CopyTo(grown.Positions, 0);
            return grown;
        }
    }
}
