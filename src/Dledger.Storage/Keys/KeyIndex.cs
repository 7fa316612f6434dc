using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Keys;

/// <summary>Where in the log records with a key lie: derived from the log, on each node for itself.</summary>
/// <remarks>
/// <code>
///   log start                                     newest applied
///    |-- file --|-- file --|  gap  |-- file --|-- blocks --|
/// </code>
/// New entries gather in a block in memory; with each state checkpoint, or when it is full, it is sealed and written as an immutable
/// file, off the apply loop. What no file or block covers is a gap: the index says so in its answers and reads that part of the log
/// again, piece by piece. So a file that is missing, damaged or of another history costs time and never a wrong answer.
/// <see cref="Add"/>, <see cref="FrameEnded"/> and <see cref="BeginWork"/> belong to the apply loop, searches to any thread.
/// </remarks>
public sealed class KeyIndex
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly KeyIndexOptions _options;
    private readonly KeyReader _reader;
    private readonly Action<string> _report;
    private readonly Lock _lock = new();
    private Parts _parts;
    private LogPosition _applied;
    private uint _appliedCrc;
    private LogPosition _addFrom;
    private Refill? _refill;
    private volatile bool _isPaused;

    private KeyIndex(
        IDisk disk, string directory, KeyIndexOptions options, KeyReader reader, Action<string> report, KeyFile[] files)
    {
        _disk = disk;
        _directory = directory;
        _options = options;
        _reader = reader;
        _report = report;
        _parts = new Parts(files, [], new KeyBlock(LogPosition.Zero));
    }

    /// <summary>Opens what the files hold, to go on from an applied position. Deletes what cannot be used.</summary>
    /// <param name="disk">Where the files are.</param>
    /// <param name="directory">The index's own.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="applied">A frame boundary; records from there on are added as they are applied.</param>
    /// <param name="holds">Whether the log has a frame with that header checksum that ends at a position.</param>
    /// <param name="reader">Reads the log for gaps.</param>
    /// <param name="report">Hears what was dropped and why. Any thread.</param>
    public static KeyIndex Open(
        IDisk disk,
        string directory,
        KeyIndexOptions options,
        LogPosition applied,
        Func<LogPosition, uint, bool> holds,
        KeyReader reader,
        Action<string> report)
    {
        var files = new List<KeyFile>();
        foreach (var name in disk.List(directory))
        {
            var path = DiskPaths.Join(directory, name);
            string? fault = null;
            if (!KeyFile.TryParseName(name, out var start, out var end))
            {
                TryDelete(disk, path);
                continue;
            }

            try
            {
                if (KeyFile.TryOpen(disk, path, start, end, out var file, out fault))
                {
                    fault = holds(end, file.EndHeaderCrc) ? null : "it describes a part that this log does not have";
                    if (fault is null)
                    {
                        files.Add(file);
                        continue;
                    }
                }
            }
            catch (StorageFaultException unreadable)
            {
                fault = unreadable.Message;
            }

            report($"'{path}' is dropped: {fault}");
            TryDelete(disk, path);
        }

        var index = new KeyIndex(disk, directory, options, reader, report, WithoutContained(disk, files));
        var covered = index._parts.Files.Length == 0 ? LogPosition.Zero : index._parts.Files.Max(file => file.End);
        index._addFrom = LogPosition.Max(applied, covered);
        index._applied = applied;
        index._parts = index._parts with { Active = new KeyBlock(index._addFrom) };
        return index;
    }

    /// <summary>Adds a key of the record that is being applied; one that a file covers is there already.</summary>
    public void Add(ulong hash, LogPosition position)
    {
        if (position >= _addFrom)
        {
            _parts.Active.Add(hash, position.Value);
        }
    }

    /// <summary>All records of a frame have been added.</summary>
    public void FrameEnded(LogPosition end, uint headerCrc)
    {
        _applied = end;
        _appliedCrc = headerCrc;
        if (_parts.Active.Count >= _options.EntriesPerFile)
        {
            Seal();
        }
    }

    /// <summary>What is to be done on the disk, on another thread; called again only after it has ended. Null: nothing.</summary>
    /// <param name="durable">The own log is durable up to here: no file goes further.</param>
    /// <param name="logStart">Nothing before it is kept.</param>
    /// <param name="isCheckpoint">A state checkpoint is cut: what is in memory goes to a file as well.</param>
    public Action? BeginWork(LogPosition durable, LogPosition logStart, bool isCheckpoint)
    {
        if (isCheckpoint)
        {
            _isPaused = false;
            Seal();
        }

        if (_isPaused)
        {
            return null;
        }

        var parts = _parts;
        var expired = parts.Files.Where(file => file.End <= logStart).ToArray();
        var block = parts.Waiting.FirstOrDefault(waiting => waiting.End <= durable);
        var gap = block is null ? FindGaps(parts, logStart, LogPosition.Min(parts.NewestStart, durable)).LastOrDefault() : default;
        return expired.Length == 0 && block is null && gap.End <= gap.Start
            ? null
            : () => Work(expired, block, gap);
    }

    /// <summary>Where records with a key lie within a part of the log. Reads files.</summary>
    public KeySearch Search(ulong hash, LogPosition from, LogPosition to)
    {
        while (true)
        {
            var parts = Volatile.Read(ref _parts);
            var found = new List<long>();
            parts.Active.Find(hash, found);
            foreach (var block in parts.Waiting)
            {
                block.Find(hash, found);
            }

            if (parts.Files.All(file => file.End <= from || file.Start >= to || TryFind(file, hash, found)))
            {
                var positions = found.Where(position => position >= from.Value && position < to.Value).Distinct();
                return new KeySearch(
                    [.. positions.OrderDescending().Select(position => new LogPosition(position))],
                    FindGaps(parts, from, LogPosition.Min(to, parts.NewestStart)));
            }
        }
    }

    // False: the file is not part of the index any more, so the search begins anew with those that are.
    private bool TryFind(KeyFile file, ulong hash, List<long> found)
    {
        try
        {
            file.Find(hash, found);
            return true;
        }
        catch (Exception fault) when (fault is DamagedFileException or StorageFaultException)
        {
            Drop(file, fault.Message);
            return false;
        }
    }

    private void Seal()
    {
        if (_applied <= _parts.Active.Start)
        {
            return;
        }

        var dropped = 0;
        lock (_lock)
        {
            var active = _parts.Active;
            active.Seal(_applied, _appliedCrc);
            KeyBlock[] waiting = [.. _parts.Waiting, active];
            dropped = Math.Max(0, waiting.Length - _options.WaitingBlocksMax);
            Publish(_parts with { Waiting = waiting[dropped..], Active = new KeyBlock(_applied) });
        }

        if (dropped > 0)
        {
            _report("the oldest keys in memory are given up, because they cannot be written; they are read from the log again");
        }
    }

    private void Work(KeyFile[] expired, KeyBlock? block, PositionRange gap)
    {
        try
        {
            foreach (var file in expired)
            {
                Remove(file);
                TryDelete(_disk, file.Path);
            }

            if (block is not null)
            {
                WriteBlock(block, removes: block);
            }
            else if (gap.End > gap.Start)
            {
                FillGap(gap);
            }
        }
        catch (StorageFaultException fault) when (!fault.IsOfSync)
        {
            // Sooner or later a checkpoint can be written again, and then it is tried again.
            _refill = null;
            _isPaused = true;
            _report($"keys cannot be written at present: {fault.Message}");
        }
    }

    private void FillGap(PositionRange gap)
    {
        if (_refill is not { } refill || refill.Block.Start != gap.Start)
        {
            refill = new Refill(new KeyBlock(gap.Start)) { Next = gap.Start };
        }

        var (reached, crc) = _reader(refill.Next, gap.End, refill.Block.Add);
        if (reached <= refill.Next)
        {
            _refill = null;
            _isPaused = true;
            return;
        }

        refill.Next = reached;
        _refill = refill;
        if (reached >= gap.End || refill.Block.Count >= _options.EntriesPerFile)
        {
            _refill = null;
            refill.Block.Seal(reached, crc);
            WriteBlock(refill.Block, removes: null);
        }
    }

    /// <summary>Writes a block, together with the file before it while that one is not full.</summary>
    private void WriteBlock(KeyBlock block, KeyBlock? removes)
    {
        var entries = new List<KeyEntry>(block.Count);
        block.CopyTo(entries);
        var start = block.Start;
        var before = _parts.Files.FirstOrDefault(file => file.End == start && file.Count + block.Count <= _options.EntriesPerFile);
        if (before is not null && !TryReadAll(before, entries))
        {
            before = null;
            entries.Clear();
            block.CopyTo(entries);
        }

        start = before?.Start ?? start;
        entries.Sort();
        var written = WriteFile(start, block, entries);
        lock (_lock)
        {
            var files = _parts.Files.Where(file => file != before).Append(written).OrderBy(file => file.Start);
            Publish(_parts with { Files = [.. files], Waiting = [.. _parts.Waiting.Where(waiting => waiting != removes)] });
        }

        if (before is not null)
        {
            TryDelete(_disk, before.Path);
        }
    }

    private KeyFile WriteFile(LogPosition start, KeyBlock block, List<KeyEntry> entries)
    {
        var path = DiskPaths.Join(_directory, KeyFile.NameOf(start, block.End));
        var draft = DiskPaths.Join(_directory, "draft");
        _disk.CreateDirectory(_directory);
        TryDelete(_disk, draft);
        var bytes = KeyFile.Encode(
            start, block.End, block.EndHeaderCrc, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(entries));
        using (var file = _disk.Open(draft, DiskOpenMode.OpenOrCreate))
        {
            file.SetLength(0);
            file.Write(0, bytes);
            file.Sync();
        }

        _disk.Rename(draft, path);
        _disk.SyncDirectory(_directory);
        return KeyFile.TryOpen(_disk, path, start, block.End, out var written, out var fault)
            ? written
            : throw new StorageFaultException(path, "pread", StorageFaultException.DeviceError, fault ?? "it cannot be read back");
    }

    private bool TryReadAll(KeyFile file, List<KeyEntry> entries)
    {
        try
        {
            file.ReadAll(entries);
            return true;
        }
        catch (Exception fault) when (fault is DamagedFileException or StorageFaultException)
        {
            Drop(file, fault.Message);
            return false;
        }
    }

    private void Drop(KeyFile file, string reason)
    {
        if (Remove(file))
        {
            _report($"'{file.Path}' is dropped: {reason}");
            TryDelete(_disk, file.Path);
        }
    }

    private bool Remove(KeyFile file)
    {
        lock (_lock)
        {
            var isPart = _parts.Files.Contains(file);
            Publish(_parts with { Files = [.. _parts.Files.Where(other => other != file)] });
            return isPart;
        }
    }

    private void Publish(Parts parts) => Volatile.Write(ref _parts, parts);

    /// <summary>What of [from, to) no file and no waiting block covers.</summary>
    private static List<PositionRange> FindGaps(Parts parts, LogPosition from, LogPosition to)
    {
        var gaps = new List<PositionRange>();
        var covered = parts.Files.Select(file => new PositionRange(file.Start, file.End))
            .Concat(parts.Waiting.Select(block => new PositionRange(block.Start, block.End)))
            .OrderBy(range => range.Start.Value);
        foreach (var range in covered)
        {
            if (range.Start > from)
            {
                Add(LogPosition.Min(range.Start, to));
            }

            from = LogPosition.Max(from, range.End);
        }

        Add(to);
        return gaps;

        void Add(LogPosition end)
        {
            if (end > from)
            {
                gaps.Add(new PositionRange(from, end));
            }
        }
    }

    // A crash between writing a longer file and deleting the one that it holds leaves both.
    private static KeyFile[] WithoutContained(IDisk disk, List<KeyFile> files)
    {
        var kept = new List<KeyFile>();
        foreach (var file in files.OrderBy(file => file.Start.Value).ThenByDescending(file => file.End.Value))
        {
            if (kept.Count > 0 && file.Start < kept[^1].End)
            {
                TryDelete(disk, file.Path);
                continue;
            }

            kept.Add(file);
        }

        return [.. kept];
    }

    // A name that stays is found at the next start.
    private static void TryDelete(IDisk disk, string path)
    {
        try
        {
            if (disk.Exists(path))
            {
                disk.Delete(path);
            }
        }
        catch (StorageFaultException fault) when (!fault.IsOfSync)
        {
        }
    }

    /// <summary>What the index is made of; replaced as a whole under the lock.</summary>
    /// <param name="Files">By start; they do not overlap.</param>
    /// <param name="Waiting">Sealed, to be written, by start.</param>
    /// <param name="Active">Where keys are added.</param>
    private sealed record Parts(KeyFile[] Files, KeyBlock[] Waiting, KeyBlock Active)
    {
        /// <summary>From here on everything is in <see cref="Active"/>.</summary>
        public LogPosition NewestStart => Active.Start;
    }

    /// <summary>A gap that is being read.</summary>
    private sealed class Refill(KeyBlock block)
    {
        public KeyBlock Block => block;

        public LogPosition Next { get; set; }
    }
}
