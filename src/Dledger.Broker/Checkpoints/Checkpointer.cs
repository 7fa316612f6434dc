using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Queues;
using Dledger.Storage.Snapshots;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Checkpoints;

/// <summary>Writes the state to disk and takes it back from there. Owned by the apply loop, but for what says "any thread".</summary>
/// <remarks>
/// A checkpoint is cut between two frames, in memory, and never beyond the own durable log (I28), as often as
/// <see cref="CheckpointSchedule"/> says; writing and syncing it is left to another thread (<see cref="CheckpointWrite"/>). A full disk
/// is no fault: the state stays in memory and in the log, and is written later.
/// </remarks>
internal sealed class Checkpointer
{
    // With thousands of queues what waits in the memory of each adds up: then a checkpoint is due, and should none come, a flush.
    private const long UnflushedBytesDue = 32L << 20;
    private const long UnflushedBytesMax = 64L << 20;

    private static readonly ConsumeQueueOptions QueueOptions = new();

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly StateCheckpointStore _store;
    private readonly CheckpointSchedule _schedule;
    private readonly TimeProvider _time;
    private readonly SeededDefect _defect;
    private readonly BrokerOptions _options;
    private readonly ILogger _logger;
    private CheckpointWrite? _write;
    private long _writeBegan;
    private volatile bool _isNewestDamaged;

    public Checkpointer(BrokerSurroundings surroundings, ILogger logger)
    {
        _disk = surroundings.Disk;
        _directory = surroundings.Directory.TrimEnd('/');
        _store = new StateCheckpointStore(_disk, DiskPaths.Join(_directory, GroupLayout.States));
        _schedule = new CheckpointSchedule(surroundings.Options, surroundings.Time);
        _time = surroundings.Time;
        _defect = surroundings.Options.Defect;
        _options = surroundings.Options;
        _logger = logger;
    }

    /// <summary>Where the newest durable checkpoint of this life stands.</summary>
    public LogPosition Newest => _schedule.Last;

    /// <summary>
    /// Where the older of the two kept checkpoints stands: should the newer one rot, the log is needed from there on. Zero while there
    /// is only one.
    /// </summary>
    public LogPosition Oldest { get; private set; }

    /// <summary>A checkpoint was cut whose end has not been taken note of.</summary>
    public bool IsWriting => _write is not null;

    private string QueueDirectory => DiskPaths.Join(_directory, GroupLayout.Queues);

    /// <summary>The state of an empty log.</summary>
    public BrokerState MakeEmpty() => new(
        new ConsumeQueueStore(_disk, QueueDirectory, QueueOptions), _defect, _options.TimerMemoryMax, _options.TimerChunkBits);

    /// <summary>The newest usable state that fits the own log; the empty one at zero when there is none.</summary>
    public (BrokerState State, AppliedPoint Applied) Restore(IRecoveredLog log)
    {
        // A write that did not end belongs to the state that is void now.
        _write = null;
        var maximum = log.DurableEnd;
        var installed = log.InstalledState;
        while (ReadNewest(maximum, installed) is { } checkpoint)
        {
            var empty = MakeEmpty();
            var fault = "it describes another history than the log beside it";
            var fits = log.Holds(checkpoint.Applied, checkpoint.HeaderCrc)
                || (checkpoint.Applied == installed && checkpoint.Applied > log.DurableEnd);
            if (fits
                && StateReader.TryRead(checkpoint, empty, out fault))
            {
                var state = empty;
                state.Queues.DeleteUnknown();
                _schedule.Written(checkpoint.Applied);
                BrokerEvents.StateRestored(
                    _logger,
                    checkpoint.Applied,
                    state.Topics.All.Count,
                    state.Groups.All.Count,
                    state.Leases.All.Count);
                return (state, new AppliedPoint(checkpoint.Applied, checkpoint.Term, checkpoint.HeaderCrc));
            }

            empty.Queues.Dispose();
            BrokerEvents.CheckpointUnusable(_logger, checkpoint.Applied, fault);
            if (checkpoint.Applied == LogPosition.Zero)
            {
                break;
            }

            installed = installed == checkpoint.Applied ? null : installed;
            maximum = LogPosition.Min(log.DurableEnd, checkpoint.Applied + -1);
        }

        var fresh = MakeEmpty();
        fresh.Queues.DeleteUnknown();
        return (fresh, default);
    }

    /// <summary>
    /// Index entries go to the disk with the checkpoints, which do not hold up the apply loop; where memory holds too many, they are
    /// handed to the file system now. False when that is full.
    /// </summary>
    public bool TryFlush(BrokerState state)
    {
        if (state.Queues.UnflushedBytes < UnflushedBytesMax)
        {
            return true;
        }

        try
        {
            state.Queues.Flush();
            return true;
        }
        catch (StorageFaultException fault) when (fault.IsNoSpace)
        {
            BrokerEvents.NoSpaceForState(_logger, fault.Message);
            return false;
        }
    }

    /// <summary>
    /// Cuts a checkpoint when enough has changed since the last one, or that one has rotted. The result writes it, on any thread; then
    /// <see cref="End"/> is owed. Null when none is due.
    /// </summary>
    public CheckpointWrite? BeginWhenDue(BrokerState state, in AppliedPoint applied, LogPosition durable) =>
        (_isNewestDamaged || _schedule.IsDue(applied.Position, isWaited: state.Queues.UnflushedBytes >= UnflushedBytesDue))
        && applied.Position <= durable
            ? Begin(state, applied)
            : null;

    /// <summary>Takes note of how the last write ended, if there was one; whether a checkpoint was added.</summary>
    public bool End(BrokerState state)
    {
        if (_write is not { } write)
        {
            return false;
        }

        _write = null;
        write.Queues.End();
        state.Topics.EndCheckpoint(write.IsDone);
        state.Timers.EndCheckpoint(write.IsDone);
        if (!write.IsDone)
        {
            _schedule.Postpone();
            if (write.NoSpace is { } reason)
            {
                BrokerEvents.NoSpaceForState(_logger, reason);
            }

            return false;
        }

        Oldest = write.Applied.Position > _schedule.Last ? _schedule.Last : Oldest;
        _schedule.Written(write.Applied.Position);
        state.Queues.DeleteExpired();
        BrokerEvents.CheckpointWritten(
            _logger, write.Applied.Position, write.Bytes, (long)_time.GetElapsedTime(_writeBegan).TotalMilliseconds);
        return true;
    }

    /// <summary>Writes the state when anything has changed since the last time, and waits for it.</summary>
    public void WriteWhenChanged(BrokerState state, in AppliedPoint applied, LogPosition durable)
    {
        End(state);
        if (applied.Position > _schedule.Last && applied.Position <= durable && Begin(state, applied) is { } write)
        {
            write.Run();
            End(state);
        }
    }

    /// <summary>
    /// The newest durable checkpoint and its queues, to be sent; null when there is none. Reads all files once, so it may take seconds.
    /// Any thread.
    /// </summary>
    /// <exception cref="DamagedFileException">They are not what they were. A rotten checkpoint is followed by another one.</exception>
    public SnapshotSource? OpenSnapshot(
        ConsumeQueueStore queues, in ChainTail logStart, ReadOnlyMemory<byte> attachment)
    {
        // The files before the checkpoint: what it lists must not go in between.
        var files = queues.PinFiles();
        CheckpointPin? checkpoint = null;
        try
        {
            checkpoint = _store.PinNewest();
            if (checkpoint is null)
            {
                files.Dispose();
                return null;
            }

            return SnapshotSource.Create(
                _disk,
                _directory,
                checkpoint,
                logStart,
                ReadQueues(checkpoint),
                QueueOptions,
                attachment,
                [files, checkpoint]);
        }
        catch
        {
            files.Dispose();
            checkpoint?.Dispose();
            throw;
        }
    }

    // The receiver would find it out, and ask again and again.
    private List<SnapshotQueue> ReadQueues(CheckpointPin checkpoint)
    {
        try
        {
            _store.Verify(checkpoint);
            return
            [
                .. StateReader.ReadQueues(_store.ReadPart(checkpoint, StateWriter.TopicsPart)),
                .. TimerReader.ReadQueues(_store.ReadPart(checkpoint, StateWriter.TimersPart)),
            ];
        }
        catch (DamagedFileException fault)
        {
            BrokerEvents.CheckpointDamaged(_logger, fault.Message);
            _isNewestDamaged = true;
            throw;
        }
    }

    private CheckpointWrite? Begin(BrokerState state, in AppliedPoint applied)
    {
        Invariant.Check(_write is null, "one checkpoint is written at a time");
        _isNewestDamaged = false;
        _writeBegan = _time.GetTimestamp();
        state.Topics.BeginCheckpoint();
        state.Timers.BeginCheckpoint();
        var parts = StateWriter.Write(state, _defect);
        try
        {
            _write = new CheckpointWrite(_store, state.Queues.BeginCheckpoint(), applied, parts);
        }
        catch (StorageFaultException fault) when (fault.IsNoSpace)
        {
            state.Topics.EndCheckpoint(isDone: false);
            state.Timers.EndCheckpoint(isDone: false);
            _schedule.Postpone();
            BrokerEvents.NoSpaceForState(_logger, fault.Message);
        }

        return _write;
    }

    private StateCheckpoint? ReadNewest(LogPosition maximum, LogPosition? installed)
    {
        var checkpoint = _store.ReadNewest(maximum, out var faults, installed);
        foreach (var fault in faults)
        {
            BrokerEvents.CheckpointDamaged(_logger, fault);
        }

        return checkpoint;
    }
}
