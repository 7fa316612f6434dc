using Dledger.Primitives;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Timers;

/// <summary>All pending delayed messages. Replicated state, owned by the apply loop.</summary>
/// <remarks>
/// <code>
///   messages applied ---> memory, at most <see cref="_memoryMax"/> entries ---> runs on disk, 20 bytes an entry
///                           ^                 the farther half                    |
///                           +------- what is left of a run that has shrunk -------+
/// </code>
/// What is pending is state; where an entry lies is each node's own matter, and no part of the state's hash. Ten million entries take
/// some 3 MB for memory, and 6 KB for each of some 300 runs.
/// </remarks>
internal sealed class TimerTable
{
    // Entries of runs that one search for old records looks at.
    private const int SearchMax = 65_536;

    // A run that has shrunk to this part of its size goes back to memory, so the number of runs stays in proportion to what waits.
    private const int ShrunkPart = 8;

    private readonly ConsumeQueueStore _queues;
    private readonly OrphanedIndexes _orphans;
    private readonly SortedTimers _memory = new();
    private readonly List<TimerRun> _runs = [];
    private readonly SortedDictionary<long, int> _countByChunk = [];
    private readonly SortedDictionary<int, long> _countByTopic = [];
    private readonly int _memoryMax;
    private readonly int _chunkBits;
    private long _count;
    private TimerKey? _first;

    /// <param name="queues">Holds the runs.</param>
    /// <param name="memoryMax">Most entries in memory.</param>
    /// <param name="chunkBits">Log bytes, as a power of two, whose waiting messages are counted together; the same on all nodes.</param>
    public TimerTable(
        ConsumeQueueStore queues, int memoryMax, int chunkBits = BrokerOptions.TimerChunkBitsDefault)
    {
        _chunkBits = chunkBits;
        _queues = queues;
        _orphans = new OrphanedIndexes(queues);
        _memoryMax = memoryMax;
    }

    /// <summary>How many wait. Any thread.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Stands for the set of all that wait.</summary>
    public ulong ContentHash { get; private set; }

    /// <summary>Those that got another time than they were sent with.</summary>
    public MovedTimers Moved { get; } = new();

    /// <summary>Those in memory, in order.</summary>
    public SortedTimers Memory => _memory;

    /// <summary>Those on disk.</summary>
    public IReadOnlyList<TimerRun> Runs => _runs;

    /// <summary>The number that the next run gets.</summary>
    public int NextRun { get; private set; }

    /// <summary>Where the oldest record lies that is still needed, rounded down; null when nothing waits.</summary>
    public LogPosition? OldestNeeded
    {
        get
        {
            foreach (var chunk in _countByChunk.Keys)
            {
                return new LogPosition(chunk << _chunkBits);
            }

            return null;
        }
    }

    /// <summary>The one that is due first; null when nothing waits.</summary>
    public TimerKey? First => _first ??= FindFirst();

    /// <summary>How many messages of a topic wait.</summary>
    public long CountOf(int topicId) => _countByTopic.GetValueOrDefault(topicId);

    /// <summary>Bytes of memory that the table takes, but for constants.</summary>
    public long MemoryBytes => (_memory.Count * 48L) + _runs.Sum(run => run.MemoryBytes)
        + (_countByChunk.Count * 64L) + (_countByTopic.Count * 64L) + Moved.MemoryBytes;

    /// <summary>A message waits from now on.</summary>
    public void Add(in TimerEntry entry)
    {
        _memory.Add(entry);
        Note(entry, 1);
        if (_first is { } first && entry.Key < first)
        {
            _first = entry.Key;
        }

        if (_memory.Count > _memoryMax)
        {
            _runs.Add(TimerRun.Write(_queues, NextRun, _memory.TakeLast(_memory.Count / 2)));
            NextRun++;
        }
    }

    /// <summary>Finds a message that waits.</summary>
    public bool TryFind(TimerKey key, out TimerEntry entry)
    {
        if (_memory.TryFind(key, out entry))
        {
            return true;
        }

        if (FindRun(key) is not { } place)
        {
            return false;
        }

        entry = place.Run.Read(place.At);
        return true;
    }

    /// <summary>A message waits no more; false when it did not.</summary>
    public bool TryRemove(TimerKey key, out TimerEntry entry)
    {
        if (!_memory.TryRemove(key, out entry))
        {
            if (FindRun(key) is not { } place)
            {
                return false;
            }

            entry = place.Run.Read(place.At);
            place.Run.Remove(place.At);
            TakeBackWhenShrunk(place.Run);
        }

        Note(entry, -1);
        if (_first == key)
        {
            _first = null;
        }

        return true;
    }

    /// <summary>Finds those behind a key, in order.</summary>
    /// <param name="after">Where to begin.</param>
    /// <param name="untilTick">The last tick that is looked at.</param>
    /// <param name="countMax">Most that are wanted.</param>
    /// <param name="found">Gets them.</param>
    public void Collect(TimerKey after, long untilTick, int countMax, List<TimerEntry> found)
    {
        using var memory = _memory.After(after).GetEnumerator();
        var next = new PriorityQueue<(int Run, int At), TimerKey>();
        if (memory.MoveNext())
        {
            next.Enqueue((-1, 0), memory.Current.Key);
        }

        for (var number = 0; number < _runs.Count; number++)
        {
            if (_runs[number].HeadKey.Tick <= untilTick)
            {
                Enqueue(next, number, _runs[number].FirstAfter(after));
            }
        }

        while (found.Count < countMax && next.TryDequeue(out var place, out var key) && key.Tick <= untilTick)
        {
            if (place.Run >= 0)
            {
                found.Add(_runs[place.Run].Read(place.At));
                Enqueue(next, place.Run, _runs[place.Run].NextLive(place.At + 1));
                continue;
            }

            found.Add(memory.Current);
            if (memory.MoveNext())
            {
                next.Enqueue((-1, 0), memory.Current.Key);
            }
        }
    }

    /// <summary>
    /// Finds some whose records lie before a position, in no particular order. An empty answer does not mean that there are none: one
    /// search looks at a bounded number of entries, and the next one goes on behind.
    /// </summary>
    public List<TimerEntry> CollectBelow(LogPosition below, int countMax)
    {
        var found = new List<TimerEntry>();
        foreach (var entry in _memory.All)
        {
            if (found.Count < countMax && entry.Key.Position < below.Value)
            {
                found.Add(entry);
            }
        }

        var left = SearchMax;
        foreach (var run in _runs)
        {
            if (found.Count >= countMax || left <= 0)
            {
                break;
            }

            if (run.LowestPosition < below.Value)
            {
                left -= run.LiveCount;
                run.CollectBelow(below.Value, countMax, found);
            }
        }

        return found;
    }

    /// <summary>A state checkpoint is cut.</summary>
    public void BeginCheckpoint() => _orphans.BeginCheckpoint();

    /// <summary>It is durable, or there is none.</summary>
    public void EndCheckpoint(bool isDone) => _orphans.EndCheckpoint(isDone);

    /// <summary>Puts a run of a checkpoint in place.</summary>
    public void Restore(TimerRun run)
    {
        for (var at = run.Head; at < run.Size; at = run.NextLive(at + 1))
        {
            Note(run.Read(at), 1);
        }

        _runs.Add(run);
    }

    /// <summary>Puts an entry of a checkpoint that was in memory in place.</summary>
    public void Restore(in TimerEntry entry)
    {
        _memory.Add(entry);
        Note(entry, 1);
    }

    /// <summary>Ends a restore.</summary>
    public void RestoreNextRun(int nextRun) => NextRun = nextRun;

    private void Note(in TimerEntry entry, int change)
    {
        Volatile.Write(ref _count, _count + change);
        ContentHash = change > 0 ? ContentHash + entry.Hash : ContentHash - entry.Hash;
        var chunk = entry.Key.Position >> _chunkBits;
        var inChunk = _countByChunk.GetValueOrDefault(chunk) + change;
        if (inChunk == 0)
        {
            _countByChunk.Remove(chunk);
        }
        else
        {
            _countByChunk[chunk] = inChunk;
        }

        var ofTopic = _countByTopic.GetValueOrDefault(entry.TopicId) + change;
        if (ofTopic == 0)
        {
            _countByTopic.Remove(entry.TopicId);
        }
        else
        {
            _countByTopic[entry.TopicId] = ofTopic;
        }
    }

    private (TimerRun Run, int At)? FindRun(TimerKey key)
    {
        foreach (var run in _runs)
        {
            if (run.Find(key) is >= 0 and var at)
            {
                return (run, at);
            }
        }

        return null;
    }

    private void TakeBackWhenShrunk(TimerRun run)
    {
        if (run.LiveCount > run.Size / ShrunkPart)
        {
            return;
        }

        for (var at = run.Head; at < run.Size; at = run.NextLive(at + 1))
        {
            _memory.Add(run.Read(at));
        }

        _runs.Remove(run);
        _orphans.Add(TimerRun.TopicId, run.Number);
    }

    private TimerKey? FindFirst()
    {
        TimerKey? first = null;
        foreach (var entry in _memory.All)
        {
            first = entry.Key;
            break;
        }

        foreach (var run in _runs)
        {
            first = first is { } known && known < run.HeadKey ? known : run.HeadKey;
        }

        return first;
    }

    private void Enqueue(PriorityQueue<(int Run, int At), TimerKey> next, int number, int at)
    {
        var run = _runs[number];
        if (at < run.Size)
        {
            next.Enqueue((number, at), run.Read(at).Key);
        }
    }
}
