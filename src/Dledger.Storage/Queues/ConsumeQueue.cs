using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Queues;

/// <summary>
/// The messages of one queue in order: entry n says where the message with queue offset n lies in the log.
/// </summary>
/// <remarks>
/// <code>
///   Min                    tail start          flushed              Max
///    |------ files ------------|-- files, memory --|------ memory -----|
/// </code>
/// Holds committed messages only. Owned by the apply loop. Format: Queues/FORMAT.md.
/// </remarks>
public sealed class ConsumeQueue
{
    private const int TailEntryCountMin = 32;
    private const int ReadPieceEntryCount = 204;

    private readonly ConsumeQueueStore _store;
    private readonly QueueFileCache _files;
    private readonly ConsumeQueueOptions _options;
    private byte[] _tail = [];
    private QueueOffset _tailStart;
    private QueueOffset _flushed;
    private QueueOffset _keptMin;
    private QueueOffset _cutMin;
    private long _firstFile;

    internal ConsumeQueue(
        ConsumeQueueStore store,
        QueueFileCache files,
        ConsumeQueueOptions options,
        int topicId,
        int queueId,
        QueueOffset min,
        QueueOffset max)
    {
        _store = store;
        _files = files;
        _options = options;
        TopicId = topicId;
        QueueId = queueId;
        Min = min;
        Max = max;
        _keptMin = min;
        _cutMin = min;
        _firstFile = min.Value / options.EntriesPerFile;
        _tailStart = _flushed = max;
    }

    public int TopicId { get; }

    public int QueueId { get; }

    /// <summary>The first queue offset kept.</summary>
    public QueueOffset Min { get; private set; }

    /// <summary>The queue offset that the next message gets.</summary>
    public QueueOffset Max { get; private set; }

    /// <summary>Whether entries wait in memory for <see cref="Flush"/>.</summary>
    public bool HasUnflushed => _flushed < Max;

    internal bool IsListed { get; set; }

    /// <summary>Up to where the files hold it.</summary>
    internal QueueOffset Flushed => _flushed;

    /// <summary>The entries that wait in memory.</summary>
    internal ReadOnlySpan<byte> Unflushed
    {
        get
        {
            var from = (int)(_flushed - _tailStart) * ConsumeQueueEntry.Bytes;
            return _tail.AsSpan(from, (int)(Max - _flushed) * ConsumeQueueEntry.Bytes);
        }
    }

    /// <summary>
    /// Adds the next message and returns its queue offset. Flushes by itself only when the memory tail is full.
    /// </summary>
    public QueueOffset Append(in ConsumeQueueEntry entry)
    {
        Invariant.Check(entry.Size > 0, $"entry {Max} of queue {TopicId}/{QueueId} has a size");
        var offset = Max;
        var at = (int)(offset - _tailStart) * ConsumeQueueEntry.Bytes;
        if (at == _tail.Length)
        {
            at = MakeRoom();
        }

        entry.Write(_tail.AsSpan(at));
        Max = offset + 1;
        _store.NoteAppended(this);
        return offset;
    }

    /// <summary>
    /// Reads entries from a queue offset on and returns their count, fewer than asked only at <see cref="Max"/>; 0 for
    /// an offset outside [Min, Max).
    /// </summary>
    public int Read(QueueOffset from, Span<ConsumeQueueEntry> destination)
    {
        if (from < Min || from >= Max)
        {
            return 0;
        }

        var count = (int)Math.Min(destination.Length, Max - from);
        var read = 0;
        while (read < count && from + read < _tailStart)
        {
            var wanted = (int)Math.Min(count - read, _tailStart - (from + read));
            read += ReadFile(from + read, destination.Slice(read, wanted));
        }

        for (; read < count; read++)
        {
            var at = (int)(from + read - _tailStart) * ConsumeQueueEntry.Bytes;
            destination[read] = ConsumeQueueEntry.Parse(_tail.AsSpan(at));
        }

        return count;
    }

    /// <summary>
    /// Writes the entries that wait in memory to the file system; they are durable after <see cref="Sync"/>.
    /// </summary>
    public void Flush()
    {
        while (_flushed < Max)
        {
            var (number, start) = Math.DivRem(_flushed.Value, _options.EntriesPerFile);
            var count = (int)Math.Min(Max - _flushed, _options.EntriesPerFile - start);
            var from = (int)(_flushed - _tailStart) * ConsumeQueueEntry.Bytes;
            var file = _files.OpenForWrite(new QueueFileKey(TopicId, QueueId, number));
            file.Write(start * ConsumeQueueEntry.Bytes, _tail.AsSpan(from, count * ConsumeQueueEntry.Bytes));
            MoveFlushed(_flushed + count);
        }
    }

    /// <summary>
    /// Nothing is appended for long: writes what waits, and gives the memory of the tail back. A full disk has no room for that; then
    /// it stays in memory.
    /// </summary>
    public void Seal()
    {
        if (TryFlush())
        {
            TrimTail();
        }
    }

    /// <summary>
    /// Makes the queue durable up to <see cref="Max"/>, and with it whatever else was written to the store's files.
    /// </summary>
    public void Sync()
    {
        Flush();
        _files.Sync();
    }

    /// <summary>
    /// Moves <see cref="Min"/> past the entries at its head whose records lie before the log's start, and returns it.
    /// Entries behind the first one that stays may still point before the start: entries are not in the order of
    /// positions. The files go with <see cref="ConsumeQueueStore.DeleteExpired"/>.
    /// </summary>
    public QueueOffset AdvanceMin(LogPosition logStart)
    {
        Span<ConsumeQueueEntry> block = stackalloc ConsumeQueueEntry[ReadPieceEntryCount];
        while (Min < Max)
        {
            var count = Read(Min, block);
            var expired = 0;
            while (expired < count && block[expired].Position < logStart)
            {
                expired++;
            }

            Min += expired;
            if (expired < count)
            {
                break;
            }
        }

        return Min;
    }

    /// <summary>
    /// Moves <see cref="Min"/> to a queue offset, but never back and never past <see cref="Max"/>, and returns it. Reads nothing.
    /// </summary>
    public QueueOffset AdvanceMinTo(QueueOffset wanted)
    {
        if (wanted > Min)
        {
            Min = wanted < Max ? wanted : Max;
        }

        return Min;
    }

    /// <summary>
    /// Forgets the entries from a queue offset on; only while state is restored, committed entries are never cut.
    /// </summary>
    public void TruncateTo(QueueOffset end)
    {
        Invariant.Check(end >= Min && end <= Max, $"queue {TopicId}/{QueueId} is cut to {end} within {Min}..{Max}");
        Flush();
        CutFiles(end);
        Max = _flushed = _tailStart = end;
        TrimTail();
    }

    /// <summary>The files hold it up to there now, at least.</summary>
    internal void NoteFlushed(QueueOffset end)
    {
        if (end > _flushed)
        {
            MoveFlushed(end);
        }
    }

    /// <summary>Keeps nothing in memory but what the files do not hold.</summary>
    internal void TrimTail()
    {
        var kept = Unflushed.ToArray();
        _store.NoteTail(kept.Length - _tail.Length);
        _tail = kept;
        _tailStart = _flushed;
    }

    /// <summary>It is deleted: takes its memory off the books.</summary>
    internal void Forget()
    {
        MoveFlushed(Max);
        TrimTail();
    }

    /// <summary>Checks that the files hold [Min, Max); the fault when they do not.</summary>
    internal string? FindFault()
    {
        for (var offset = Min.Value; offset < Max.Value;)
        {
            var (number, start) = Math.DivRem(offset, _options.EntriesPerFile);
            var end = Math.Min(Max.Value - (number * _options.EntriesPerFile), _options.EntriesPerFile);
            var file = _files.Find(new QueueFileKey(TopicId, QueueId, number));
            var held = (file?.Length ?? 0) / ConsumeQueueEntry.Bytes;
            if (held < end)
            {
                return $"queue {TopicId}/{QueueId}: file {number} holds {held} entries, expected {end}";
            }

            offset += end - start;
        }

        Span<ConsumeQueueEntry> last = stackalloc ConsumeQueueEntry[1];
        return Max > Min && !TryReadFile(Max + -1, last)
            ? $"queue {TopicId}/{QueueId}: entry {Max + -1} was never written"
            : null;
    }

    /// <summary>Removes what the files hold from a queue offset on.</summary>
    internal void CutFiles(QueueOffset end)
    {
        var (number, count) = Math.DivRem(end.Value, _options.EntriesPerFile);
        if (_files.Find(new QueueFileKey(TopicId, QueueId, number)) is { } file
            && file.Length > count * ConsumeQueueEntry.Bytes)
        {
            _files.OpenForWrite(new QueueFileKey(TopicId, QueueId, number)).SetLength(count * ConsumeQueueEntry.Bytes);
        }

        for (var next = number + 1; _files.Find(new QueueFileKey(TopicId, QueueId, next)) is not null; next++)
        {
            _files.Delete(new QueueFileKey(TopicId, QueueId, next));
        }
    }

    /// <summary>Finds files below <see cref="Min"/> that an interrupted deletion left.</summary>
    internal void FindFirstFile()
    {
        while (_firstFile > 0 && _files.Find(new QueueFileKey(TopicId, QueueId, _firstFile - 1)) is not null)
        {
            _firstFile--;
        }
    }

    /// <summary>A state checkpoint is cut that needs the queue from its present first offset on.</summary>
    internal void NoteCut() => _cutMin = Min;

    /// <summary>
    /// Deletes the files below what the older of the two kept checkpoints needs; the one that was cut last is the older next time.
    /// </summary>
    internal void DeleteExpiredFiles()
    {
        var firstKept = _keptMin.Value / _options.EntriesPerFile;
        for (; _firstFile < firstKept; _firstFile++)
        {
            var key = new QueueFileKey(TopicId, QueueId, _firstFile);
            if (_files.Find(key) is not null)
            {
                _files.Delete(key);
            }
        }

        _keptMin = _cutMin;
    }

    private void MoveFlushed(QueueOffset end)
    {
        _store.NoteFlushed(end - _flushed);
        _flushed = end;
    }

    /// <summary>False when the disk is full: the log cannot grow either then, so memory can hold what is left to come.</summary>
    private bool TryFlush()
    {
        try
        {
            Flush();
            return true;
        }
        catch (StorageFaultException fault) when (fault.IsNoSpace)
        {
            return false;
        }
    }

    private int ReadFile(QueueOffset from, Span<ConsumeQueueEntry> destination)
    {
        var room = (int)(_options.EntriesPerFile - (from.Value % _options.EntriesPerFile));
        var piece = destination[..Math.Min(Math.Min(destination.Length, room), ReadPieceEntryCount)];
        return TryReadFile(from, piece)
            ? piece.Length
            : throw new DamagedFileException(
                $"queue {TopicId}/{QueueId}", $"entries {from} to {from + (piece.Length - 1)} are not all there");
    }

    private bool TryReadFile(QueueOffset from, Span<ConsumeQueueEntry> destination)
    {
        Span<byte> bytes = stackalloc byte[ReadPieceEntryCount * ConsumeQueueEntry.Bytes];
        bytes = bytes[..(destination.Length * ConsumeQueueEntry.Bytes)];
        var (number, start) = Math.DivRem(from.Value, _options.EntriesPerFile);
        var file = _files.Find(new QueueFileKey(TopicId, QueueId, number));
        if (file is null || file.Read(start * ConsumeQueueEntry.Bytes, bytes) < bytes.Length)
        {
            return false;
        }

        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = ConsumeQueueEntry.Parse(bytes[(i * ConsumeQueueEntry.Bytes)..]);
            if (destination[i].Size <= 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Grows the memory tail, or drops its older half when it has its full size; where the next entry goes.
    /// </summary>
    private int MakeRoom()
    {
        var held = (int)(Max - _tailStart);
        var kept = held / 2;
        if (held < _options.TailEntryCountMax || (_flushed < Max + -kept && !TryFlush()))
        {
            var count = held < _options.TailEntryCountMax
                ? Math.Clamp(held * 2, TailEntryCountMin, _options.TailEntryCountMax)
                : held * 2;
            _store.NoteTail((count * ConsumeQueueEntry.Bytes) - _tail.Length);
            Array.Resize(ref _tail, count * ConsumeQueueEntry.Bytes);
            return held * ConsumeQueueEntry.Bytes;
        }

        _tail.AsSpan((held - kept) * ConsumeQueueEntry.Bytes, kept * ConsumeQueueEntry.Bytes).CopyTo(_tail);
        _tailStart = Max + -kept;
        return kept * ConsumeQueueEntry.Bytes;
    }
}
