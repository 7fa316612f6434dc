using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Queues;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Checkpoints;

/// <summary>Writes the state to disk and takes it back from there. Owned by the apply loop.</summary>
/// <remarks>
/// Order of a write: queue indexes synced, then the parts, then the manifest; never beyond the own durable log (I28).
/// The
/// apply loop waits for it: a few syncs each 256 MiB of log or 5 minutes.
/// </remarks>
internal sealed class Checkpointer
{
    private readonly IDisk _disk;
    private readonly string _queueDirectory;
    private readonly StateCheckpointStore _store;
    private readonly CheckpointSchedule _schedule;
    private readonly TimeProvider _time;
    private readonly SeededDefect _defect;
    private readonly ILogger _logger;

    public Checkpointer(BrokerOptions options, IDisk disk, string directory, TimeProvider time, ILogger logger)
    {
        var prefix = directory.Length == 0 ? "" : directory.TrimEnd('/') + "/";
        _disk = disk;
        _queueDirectory = prefix + "cq";
        _store = new StateCheckpointStore(disk, prefix + "state");
        _schedule = new CheckpointSchedule(options, time);
        _time = time;
        _defect = options.Defect;
        _logger = logger;
    }

    /// <summary>The state of an empty log.</summary>
    public BrokerState MakeEmpty() =>
        new(new ConsumeQueueStore(_disk, _queueDirectory, new ConsumeQueueOptions()), _defect);

    /// <summary>The newest usable state that fits the own log; the empty one at zero when there is none.</summary>
    public (BrokerState State, AppliedPoint Applied) Restore(IRecoveredLog log)
    {
        var maximum = log.DurableEnd;
        while (_store.ReadNewest(maximum, out var faults) is { } checkpoint)
        {
            Report(faults);
            var queues = new ConsumeQueueStore(_disk, _queueDirectory, new ConsumeQueueOptions());
            var fault = "it describes another history than the log beside it";
            if (log.Holds(checkpoint.Applied, checkpoint.HeaderCrc)
                && StateReader.TryRead(checkpoint, queues, _defect, out var state, out fault))
            {
                queues.DeleteUnknown();
                _schedule.Written(checkpoint.Applied);
                BrokerEvents.StateRestored(
                    _logger,
                    checkpoint.Applied,
                    state.Topics.All.Count,
                    state.Groups.All.Count,
                    state.Leases.All.Count);
                return (state, new AppliedPoint(checkpoint.Applied, checkpoint.Term, checkpoint.HeaderCrc));
            }

            queues.Dispose();
            BrokerEvents.CheckpointUnusable(_logger, checkpoint.Applied, fault);
            if (checkpoint.Applied == LogPosition.Zero)
            {
                break;
            }

            maximum = checkpoint.Applied + -1;
        }

        var empty = MakeEmpty();
        empty.Queues.DeleteUnknown();
        return (empty, default);
    }

    /// <summary>Writes the state when enough has changed since the last time.</summary>
    public void WriteWhenDue(BrokerState state, in AppliedPoint applied, LogPosition durable)
    {
        if (_schedule.IsDue(applied.Position) && applied.Position <= durable)
        {
            Write(state, applied);
        }
    }

    /// <summary>Writes the state when anything has changed since the last time.</summary>
    public void WriteWhenChanged(BrokerState state, in AppliedPoint applied, LogPosition durable)
    {
        if (applied.Position > _schedule.Last && applied.Position <= durable)
        {
            Write(state, applied);
        }
    }

    private void Write(BrokerState state, in AppliedPoint applied)
    {
        var startedAt = _time.GetTimestamp();
        var parts = StateWriter.Write(state, withLeases: _defect != SeededDefect.LeasesNotInCheckpoint);
        state.Queues.Sync();
        _store.Write(applied.Position, applied.Term, applied.HeaderCrc, parts);
        _schedule.Written(applied.Position);
        state.Topics.DeleteOrphans();
        BrokerEvents.CheckpointWritten(
            _logger,
            applied.Position,
            parts.Sum(part => (long)part.Content.Length),
            (long)_time.GetElapsedTime(startedAt).TotalMilliseconds);
    }

    private void Report(IReadOnlyList<string> faults)
    {
        foreach (var fault in faults)
        {
            BrokerEvents.CheckpointDamaged(_logger, fault);
        }
    }
}
