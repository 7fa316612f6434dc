using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// The replicated log of one Raft group on this node's disk: frames in segments, addressed by byte position.
/// </summary>
/// <remarks>
/// <code>
///   Start          watermark        DurableEnd        WrittenEnd
///     |-- frames -----|-- frames -------|-- frames -------|-- zeros, or bytes of an interrupted write
/// </code>
/// Start &lt;= watermark &lt;= DurableEnd &lt;= WrittenEnd, and WrittenEnd - watermark &lt;= UnverifiedBytesMax.
/// Nothing below DurableEnd changes except by <see cref="TruncateTo"/>; Start only rises, by
/// <see cref="AdvanceStart"/>.
/// <see cref="Reset"/> replaces all of it.
/// Members marked "writer" belong to one thread, the log writer; the others are for any thread. A reader that races a
/// truncation may see zeros or newer bytes: whoever reads checks the checksums. After the first failed write or sync
/// every writer member throws that <see cref="StorageFaultException"/>; nothing is retried. Format: Logs/FORMAT.md.
/// </remarks>
public sealed class CommitLog : IDisposable
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly SparePool _spares;
    private readonly ReadableLog _readable;
    private readonly BacklogReader _backlog;
    private readonly LogTail _tail;
    private readonly LogCheckpointFiles _checkpoints;
    private readonly SegmentRetirement _retirement;
    private readonly SpaceReserve _reserve;
    private readonly LogPins _pins = new();
    private readonly Lock _names = new();

    private StorageFaultException? _fault;
    private long _rollCountAtCheckpoint;
    private bool _hasPreparer;

    internal CommitLog(
        IDisk disk,
        string directory,
        CommitLogOptions options,
        LogIdentity identity,
        TimeProvider time,
        CommitLogState state)
    {
        _disk = disk;
        _directory = directory;
        _spares = state.Spares;
        Options = options;
        Identity = identity;
        Seed = identity.Seed;
        _readable = new ReadableLog(state.Segments, state.Tail, Seed, options.FrameBytesMax);
        _backlog = new BacklogReader(_readable);
        _retirement = new SegmentRetirement(disk, directory, options, state.Spares, _names);
        _reserve = new SpaceReserve(disk, directory, options.ReserveBytes);
        _tail = new LogTail(disk, directory, options, identity, time, state, _readable, _retirement, _reserve, _names);
        _checkpoints = new LogCheckpointFiles(disk, directory, identity, state.CheckpointSequence, state.CheckpointEnd);
    }

    /// <summary>Whose log it is.</summary>
    public LogIdentity Identity { get; }

    /// <summary>The options it was opened with.</summary>
    public CommitLogOptions Options { get; }

    /// <summary>Start value of all header checksums.</summary>
    public ClusterSeed Seed { get; }

    /// <summary>The first position still kept: the base of a segment.</summary>
    public LogPosition Start => _readable.Start;

    /// <summary>The frame that ends at the start, as the first segment remembers it.</summary>
    public ChainTail StartTail => _readable.Segments[0].Header.BaseTail;

    /// <summary>Position behind the last frame handed to the file system.</summary>
    public LogPosition WrittenEnd => _readable.End;

    /// <summary>Position up to which the log is durable.</summary>
    public LogPosition DurableEnd => _tail.DurableEnd;

    /// <summary>Files in use.</summary>
    public int SegmentCount => _readable.Segments.Length;

    /// <summary>Base of the segment that is written; everything before it is sealed.</summary>
    public LogPosition LastSegmentBase => _readable.Segments[^1].Base;

    /// <summary>
    /// Whether a roll, a spare or the reserve file found no space lately; false again when one of them has found it.
    /// </summary>
    public bool IsSpaceLow => _reserve.IsLow;

    /// <summary>What made the log unusable, or null.</summary>
    public StorageFaultException? Fault => Volatile.Read(ref _fault);

    /// <summary>The last frame. Writer.</summary>
    public ChainTail Tail => _tail.Tail;

    /// <summary>
    /// Opens the log of a directory, which it creates together with an empty log when there is none. Answers damage
    /// when bytes that were durable are missing or wrong, and then has changed nothing.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">Path of the log's directory; nobody else has it open.</param>
    /// <param name="options">
    /// Sizes; all problems of them are in the message of the <see cref="ArgumentException"/>.
    /// </param>
    /// <param name="identity">Whose log it is.</param>
    /// <param name="time">Clock for the age of the watermark.</param>
    /// <param name="createIfEmpty">
    /// False for a node that took part in a term before: then an empty directory is a lost log, not a new one.
    /// </param>
    /// <param name="verifyAll">
    /// Reads all frames, also those below the log checkpoint, which are left to the scrubber else.
    /// </param>
    public static CommitLogRecovery Open(
        IDisk disk,
        string directory,
        CommitLogOptions options,
        LogIdentity identity,
        TimeProvider time,
        bool createIfEmpty = true,
        bool verifyAll = false)
    {
        var problems = options.Validate();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", problems), nameof(options));
        }

        return new LogRecovery(disk, directory, options, identity, time, verifyAll).Run(createIfEmpty);
    }

    /// <summary>The background worker that keeps spares ready: one per log, disposed before it.</summary>
    public SegmentPreparer CreatePreparer()
    {
        Invariant.Check(!_hasPreparer, "a log has one preparer");
        _hasPreparer = true;
        var preparer = new SegmentPreparer(this, _disk, _directory, _spares, _reserve);
        _tail.Rolled = preparer.Wake;
        return preparer;
    }

    /// <summary>
    /// Writes whole frames, one per buffer, behind the log's end; they are durable after the next <see cref="Sync"/>.
    /// Rolls to a new segment and syncs in between when sizes demand it. The frames were verified: one that does not
    /// continue the log is our bug. Returns how many were written: fewer than given only when a new segment finds no
    /// space (<see cref="IsSpaceLow"/>); the log is sound then, and the rest may be given again later. Writer.
    /// </summary>
    public int Append(IReadOnlyList<ReadOnlyMemory<byte>> frames)
    {
        ThrowIfFaulted();
        try
        {
            return _tail.Append(frames);
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// Makes everything written durable with one fdatasync, which carries a new watermark when that is due; returns
    /// <see cref="DurableEnd"/>. Writer.
    /// </summary>
    public LogPosition Sync()
    {
        ThrowIfFaulted();
        try
        {
            _tail.Sync();
            return DurableEnd;
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// Brings the watermark up to the durable end with a write and a sync of its own; nothing when it is there. For a
    /// writer that becomes idle. Writer.
    /// </summary>
    public void SyncWatermark()
    {
        ThrowIfFaulted();
        try
        {
            _tail.SyncWatermark();
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// Cuts the log back to a frame boundary at or above the committed position, durably; returns the new tail. Only
    /// for a frame of the present leader that conflicts. Writer.
    /// </summary>
    public ChainTail TruncateTo(LogPosition end)
    {
        ThrowIfFaulted();
        Invariant.Check(end >= Start && end <= Tail.End, $"truncation to {end} within {Start}..{Tail.End}");
        Invariant.Check(end >= _checkpoints.End, $"truncation to {end} keeps the checkpoint at {_checkpoints.End}");
        try
        {
            _tail.TruncateTo(end);
            return Tail;
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// Gives up the log below a position, in whole segments: the start moves to the base of the segment that holds the
    /// lowest of <paramref name="to"/>, <paramref name="checkpoint"/> and all pins. Returns the start, which is
    /// durable;
    /// the files go later, by <see cref="RetireExpired"/>. Raft's epoch table moves with it. On a full disk without a
    /// reserve the start stays. Writer.
    /// </summary>
    /// <param name="to">A committed frame boundary; what lies below is not needed any more.</param>
    /// <param name="checkpoint">
    /// Applied position of a durable state checkpoint of this node, from which it can start again.
    /// </param>
    public LogPosition AdvanceStart(LogPosition to, LogPosition checkpoint)
    {
        ThrowIfFaulted();
        Invariant.Check(to <= Tail.End, $"start at {to}, the log ends at {Tail.End}");
        try
        {
            _pins.Advance(LogPosition.Min(to, checkpoint), AdvanceStartTo);
            return Start;
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// Where the log would begin if everything below a position were given up: the base of the segment that holds the lowest of it
    /// and all pins. Any thread.
    /// </summary>
    public LogPosition FindStart(LogPosition below)
    {
        var segments = _readable.Segments;
        var index = Segment.FindIndex(segments, _pins.Lowest(below));
        return index < 0 ? segments[0].Base : segments[index].Base;
    }

    /// <summary>Bases of the segments in use, and the log time of the frame before each. Any thread.</summary>
    public IReadOnlyList<(LogPosition Base, long LogTime)> ListSegments() =>
        Array.ConvertAll(_readable.Segments, static segment => (segment.Base, segment.Header.BaseTail.LogTime));

    /// <summary>
    /// Turns one segment below the start into a spare, or deletes it; false when none waits. The preparer calls it; a
    /// caller without a preparer does it here. Any thread, one at a time.
    /// </summary>
    public bool RetireExpired() => _retirement.Step();

    /// <summary>
    /// Replaces the whole log by an empty one that begins behind <paramref name="start"/>, durably. Only for the
    /// install
    /// of a snapshot, with a durable intent in the meta file: a crash in between is finished by <see
    /// cref="ResetOnDisk"/>. No pin may be held. Writer.
    /// </summary>
    /// <param name="start">The frame that the new log begins behind.</param>
    /// <param name="configurations">
    /// The configuration records that the snapshot stands on, oldest first; the last one is in force at its position.
    /// </param>
    public void Reset(ChainTail start, IReadOnlyList<LogConfiguration>? configurations = null)
    {
        ThrowIfFaulted();
        try
        {
            _pins.Advance(start.End, kept => Invariant.Check(kept == start.End, $"log from {kept} on is pinned"));
            _retirement.Replace(() => _tail.Reset(start, configurations ?? []));
            _backlog.Forget();
            _checkpoints.Reset(start, configurations ?? []);
            _rollCountAtCheckpoint = _tail.RollCount;
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// <see cref="Reset"/> for a directory that nobody has open, in whatever state it is. Can be repeated.
    /// </summary>
    public static void ResetOnDisk(
        IDisk disk,
        string directory,
        CommitLogOptions options,
        LogIdentity identity,
        in ChainTail start,
        IReadOnlyList<LogConfiguration>? configurations = null)
    {
        new LogReset(disk, directory, options, identity).Run(start).Segment.Release();
        using var checkpoints = new LogCheckpointFiles(disk, directory, identity, 0, start.End);
        checkpoints.Reset(start, configurations ?? []);
    }

    /// <summary>
    /// Writes whole committed frames of a peer over a damaged range that the scrubber found, all of it or its
    /// beginning;
    /// null when they are durable. Bytes that do not fit both sides are refused with a reason and nothing is written.
    /// Writer.
    /// </summary>
    /// <param name="damaged">The range; <paramref name="rest"/> is what is left of it.</param>
    /// <param name="frames">The bytes, from the range's beginning on.</param>
    /// <param name="rest">Null when nothing is left.</param>
    public string? RepairRange(DamagedRange damaged, ReadOnlySpan<byte> frames, out DamagedRange? rest)
    {
        ThrowIfFaulted();
        rest = damaged;
        var fault = RangeRepair.FindFault(damaged, frames, Seed, Options.FrameBytesMax, out var tail);
        if (fault is not null)
        {
            return fault;
        }

        var segments = _readable.Segments;
        var index = Segment.FindIndex(segments, damaged.From);
        if (index < 0 || tail.End > segments[^1].Base || index + 1 >= segments.Length)
        {
            return $"{damaged.From} lies in no sealed segment";
        }

        try
        {
            RangeRepair.Write(segments[index], damaged.From, frames);
            _backlog.Forget();
            rest = RangeRepair.Rest(damaged, tail);
            return null;
        }
        catch (StorageFaultException failed)
        {
            Volatile.Write(ref _fault, failed);
            throw;
        }
    }

    /// <summary>Writes the header page of a sealed segment once more after the scrubber found it damaged.
    /// Writer.</summary>
    public void RepairHeader(LogPosition segmentBase)
    {
        ThrowIfFaulted();
        try
        {
            Array.Find(_readable.Segments, segment => segment.Base == segmentBase)?.WriteHeader();
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// A reader of all sealed segments for damage, one per log. It remembers its place in the log's directory.
    /// </summary>
    public LogScrubber CreateScrubber() => new(this, _readable, _disk, _directory);

    /// <summary>Keeps everything from the present start on until the result is disposed. Any thread.</summary>
    public LogPin Pin() => _pins.Add(() => StartTail);

    /// <summary>Keeps everything from a segment's base on; null when no segment begins there any more. Any thread.</summary>
    public LogPin? Pin(LogPosition segmentBase)
    {
        // A pin of the present start holds the files while the segment is looked for.
        using var whole = Pin();
        var segment = Array.Find(_readable.Segments, segment => segment.Base == segmentBase);
        return segment is null ? null : _pins.Add(() => segment.Header.BaseTail);
    }

    /// <summary>Whether a checkpoint at this committed position saves recovery enough reading. Writer.</summary>
    public bool IsCheckpointDue(LogPosition committed) =>
        committed > _checkpoints.End
        && (_tail.RollCount > _rollCountAtCheckpoint || committed - _checkpoints.End >= Options.CheckpointBytes);

    /// <summary>
    /// Records a committed prefix of the log, so that recovery need not read it. <paramref name="committed"/> is a
    /// frame's end, at or below <see cref="DurableEnd"/>; one below the last checkpoint does nothing. Writer.
    /// </summary>
    public void WriteLogCheckpoint(LogPosition committed)
    {
        ThrowIfFaulted();
        Invariant.Check(committed <= DurableEnd, $"checkpoint at {committed}, durable is {DurableEnd}");
        if (committed <= _checkpoints.End)
        {
            return;
        }

        try
        {
            WriteCheckpoint(committed);
        }
        catch (StorageFaultException fault)
        {
            Volatile.Write(ref _fault, fault);
            throw;
        }
    }

    /// <summary>
    /// Copies bytes from <paramref name="position"/> on, at most up to <see cref="WrittenEnd"/>; returns their count, 0
    /// outside the log.
    /// </summary>
    public int Read(LogPosition position, Span<byte> destination) => _readable.Read(position, destination);

    /// <summary>The same for those who go through what lies well behind the end: read in large pieces, past the page cache.</summary>
    /// <param name="position">The first byte.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="settled">What lies before it has been written and is never cut off.</param>
    public int ReadBacklog(LogPosition position, Span<byte> destination, LogPosition settled) =>
        _backlog.Read(position, destination, settled);

    /// <summary>Asks the disk to have bytes of one frame in memory soon, and does not wait for it. Any thread.</summary>
    public void Prefetch(LogPosition position, int length) => _readable.Prefetch(position, length);

    /// <summary>What <see cref="ReadBacklog"/> gave is not what was written: it is read from the disk again.</summary>
    public void ForgetBacklog() => _backlog.Forget();

    /// <summary>Reads what Raft needs of the frame that begins at a position; false when none does.</summary>
    public bool TryReadFrameSummary(LogPosition @base, out FrameSummary frame)
    {
        var found = _readable.TryReadHeader(@base, out var header);
        frame = header.Summary;
        return found;
    }

    /// <summary>
    /// Reads the header checksum of the frame that ends at a position; at the log's start that of the frame before it,
    /// for a whole log the cluster's seed. False when no frame ends there.
    /// </summary>
    public bool TryReadChain(LogPosition end, out uint headerCrc) => _readable.TryReadChain(end, out headerCrc);

    /// <summary>
    /// Syncs what was written, brings the watermark up and closes the files; after a fault only closes them.
    /// </summary>
    public void Dispose()
    {
        try
        {
            if (Fault is null)
            {
                SyncWatermark();
            }
        }
        finally
        {
            _checkpoints.Dispose();
            _retirement.Dispose();
            _spares.Dispose();
            foreach (var segment in _readable.Segments)
            {
                segment.Release();
            }
        }
    }

    /// <summary>Whether the next roll would have to create its file itself and is near.</summary>
    internal bool IsSpareUrgent =>
        _spares.Count == 0 && WrittenEnd - _readable.Segments[^1].Base > Options.SegmentBytes / 2;

    /// <summary>
    /// Gives one segment that still bears a spare's name the name of its base, for people; false when there is none.
    /// Any thread: the lock keeps the name while the writer deletes.
    /// </summary>
    internal bool TryNameSegment()
    {
        lock (_names)
        {
            foreach (var segment in _readable.Segments)
            {
                var path = $"{_directory}/{LogRecovery.SegmentName(segment.Base)}";
                if (segment.Path != path && !_disk.Exists(path))
                {
                    _disk.Rename(segment.Path, path);
                    segment.Path = path;
                    return true;
                }
            }

            return false;
        }
    }

    // What was said before the new start about who decides is only in the log checkpoint from then on.
    private void AdvanceStartTo(LogPosition position)
    {
        var start = _readable.Segments[Math.Max(0, Segment.FindIndex(_readable.Segments, position))].Base;
        try
        {
            if (_tail.Configurations.HasAny(_checkpoints.End, start))
            {
                WriteCheckpoint(start);
            }
        }
        catch (StorageFaultException fault) when (fault.IsNoSpace)
        {
            // The start stays until there is room for it.
            return;
        }

        _tail.AdvanceStart(start);
    }

    private void WriteCheckpoint(LogPosition committed)
    {
        var tail = committed == Tail.End ? Tail : _readable.ReadTail(committed);
        var epochs = _tail.Epochs.Epochs.Where((epoch, i) => i == 0 || epoch.Start < committed).ToArray();
        _checkpoints.Write(tail, Start, epochs, _tail.Configurations.Before(committed, Start));
        _rollCountAtCheckpoint = _tail.RollCount;
    }

    private void ThrowIfFaulted()
    {
        if (Fault is { } fault)
        {
            throw new StorageFaultException(
                fault.Path, fault.Call, fault.Errno, $"the log stopped after: {fault.Message}");
        }
    }
}
