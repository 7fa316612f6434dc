using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Dledger.Primitives;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Timers;

/// <summary>Pending messages that were moved from memory to a file, sorted once and for all. Owned by the apply loop.</summary>
/// <remarks>
/// The file is an index of the node like those of queues (<see cref="ConsumeQueue"/>), under the topic number 0. Which of its entries
/// are over is a bit each in memory; where the run begins is the index's first offset. In memory are also the first key of each block,
/// and the block that was read last.
/// </remarks>
internal sealed class TimerRun
{
    /// <summary>The topic number of runs; topics are numbered from 1 on.</summary>
    public const int TopicId = 0;

    private const int BlockEntryCount = 128;

    private readonly ConsumeQueue _index;
    private readonly ulong[] _over;
    private readonly TimerKey[] _fences;
    private readonly TimerEntry[] _block = new TimerEntry[BlockEntryCount];
    private int _blockNumber = -1;

    private TimerRun(ConsumeQueue index)
    {
        _index = index;
        Size = checked((int)index.Max.Value);
        Head = checked((int)index.Min.Value);
        _over = new ulong[(Size + 63) / 64];
        _fences = new TimerKey[(Size + BlockEntryCount - 1) / BlockEntryCount];
        LowestPosition = long.MaxValue;
    }

    public int Number => _index.QueueId;

    /// <summary>Entries that it was written with.</summary>
    public int Size { get; }

    /// <summary>The first entry that still waits; <see cref="Size"/> when none does.</summary>
    public int Head { get; private set; }

    /// <summary>Entries that still wait.</summary>
    public int LiveCount { get; private set; }

    /// <summary>None of the entries that still wait has a lower one.</summary>
    public long LowestPosition { get; private set; }

    /// <summary>None of the entries that still wait has a higher one.</summary>
    public long HighestPosition { get; private set; }

    /// <summary>Key of <see cref="Head"/>.</summary>
    public TimerKey HeadKey { get; private set; }

    /// <summary>Which entries behind <see cref="Head"/> are over, a bit each, from the run's start on.</summary>
    public ReadOnlySpan<ulong> Over => _over;

    /// <summary>Bytes of memory that it takes, but for constants.</summary>
    public long MemoryBytes => (_over.Length * 8L) + (_fences.Length * 16L) + (BlockEntryCount * 24L);

    /// <summary>Writes a new run.</summary>
    /// <param name="queues">Where it goes.</param>
    /// <param name="number">Never used before.</param>
    /// <param name="entries">In order.</param>
    public static TimerRun Write(ConsumeQueueStore queues, int number, IReadOnlyList<TimerEntry> entries)
    {
        var index = queues.Create(TopicId, number);
        foreach (var entry in entries)
        {
            index.Append(entry.ToSlot());
        }

        index.Seal();
        var run = new TimerRun(index);
        for (var at = 0; at < entries.Count; at++)
        {
            run.Take(at, entries[at]);
        }

        run.MoveHead();
        return run;
    }

    /// <summary>Opens a run as a checkpoint describes it; false when its file does not hold what it should.</summary>
    /// <param name="index">Its index, restored.</param>
    /// <param name="over">A bit for each entry.</param>
    /// <param name="run">The run.</param>
    public static bool TryOpen(ConsumeQueue index, ReadOnlySpan<ulong> over, [NotNullWhen(true)] out TimerRun? run)
    {
        run = new TimerRun(index);
        over.CopyTo(run._over);
        var last = TimerKey.First;

        // From the beginning of the head's block on: what lies before it is never asked for.
        for (var at = run.Head; at < run.Size; at++)
        {
            var entry = run.Read(at);
            if (entry.Key <= last)
            {
                run = null;
                return false;
            }

            last = entry.Key;
            run.Take(at, entry);
        }

        run.MoveHead();
        return true;
    }

    /// <summary>Whether an entry is over.</summary>
    public bool IsOver(int at) => (_over[at / 64] & (1UL << (at % 64))) != 0;

    /// <summary>The first entry from a place on that still waits; <see cref="Size"/> when none does.</summary>
    public int NextLive(int at)
    {
        while (at < Size)
        {
            var rest = ~_over[at / 64] >> (at % 64);
            if (rest != 0)
            {
                return Math.Min(Size, at + BitOperations.TrailingZeroCount(rest));
            }

            at = ((at / 64) + 1) * 64;
        }

        return Size;
    }

    /// <summary>An entry from <see cref="Head"/> on. Reads its block, unless it was the last one read.</summary>
    public TimerEntry Read(int at)
    {
        var number = at / BlockEntryCount;
        if (number != _blockNumber)
        {
            // What lies before the index's first offset cannot be read, and is not asked for.
            var from = Math.Max(number * BlockEntryCount, (int)_index.Min.Value);
            Span<ConsumeQueueEntry> slots = stackalloc ConsumeQueueEntry[BlockEntryCount];
            var count = Math.Min(Size, (number + 1) * BlockEntryCount) - from;
            var read = _index.Read(new QueueOffset(from), slots[..count]);
            Invariant.Check(read == count, $"run {Number} has {read} of {count} entries from {from} on");
            for (var i = 0; i < count; i++)
            {
                _block[(from % BlockEntryCount) + i] = TimerEntry.Of(slots[i]);
            }

            _blockNumber = number;
        }

        return _block[at % BlockEntryCount];
    }

    /// <summary>The first entry behind a key that still waits; <see cref="Size"/> when there is none.</summary>
    public int FirstAfter(TimerKey key)
    {
        if (key < HeadKey)
        {
            return Head;
        }

        // The first block behind the key; what is looked for lies in the one before, or begins it.
        int low = (Head / BlockEntryCount) + 1, high = _fences.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_fences[middle] <= key)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        var from = Math.Max(Head, (low - 1) * BlockEntryCount);
        var to = Math.Min(Size, low * BlockEntryCount);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (Read(middle).Key <= key)
            {
                from = middle + 1;
            }
            else
            {
                to = middle;
            }
        }

        return NextLive(from);
    }

    /// <summary>Finds an entry that still waits; -1 when it is not here.</summary>
    public int Find(TimerKey key)
    {
        if (LiveCount == 0 || key < HeadKey || key.Position < LowestPosition || key.Position > HighestPosition)
        {
            return -1;
        }

        var at = FirstAfter(key.Before);
        return at < Size && Read(at).Key == key ? at : -1;
    }

    /// <summary>Adds those whose records lie before a position. When all were looked at, the lowest position is known anew.</summary>
    public void CollectBelow(long below, int countMax, List<TimerEntry> found)
    {
        var lowest = long.MaxValue;
        for (var at = Head; at < Size; at = NextLive(at + 1))
        {
            var entry = Read(at);
            lowest = Math.Min(lowest, entry.Key.Position);
            if (entry.Key.Position < below)
            {
                found.Add(entry);
                if (found.Count == countMax)
                {
                    return;
                }
            }
        }

        LowestPosition = lowest;
    }

    /// <summary>An entry is over.</summary>
    public void Remove(int at)
    {
        Invariant.Check(!IsOver(at) && at >= Head, $"entry {at} of run {Number} waits");
        _over[at / 64] |= 1UL << (at % 64);
        LiveCount--;
        if (at == Head)
        {
            MoveHead();
        }
    }

    private void Take(int at, in TimerEntry entry)
    {
        if (at % BlockEntryCount == 0 || at == Head)
        {
            _fences[at / BlockEntryCount] = entry.Key;
        }

        if (!IsOver(at))
        {
            LiveCount++;
            LowestPosition = Math.Min(LowestPosition, entry.Key.Position);
            HighestPosition = Math.Max(HighestPosition, entry.Key.Position);
        }
    }

    private void MoveHead()
    {
        Head = NextLive(Head);
        _index.AdvanceMinTo(new QueueOffset(Head));
        if (Head < Size)
        {
            HeadKey = Read(Head).Key;
        }
    }
}
