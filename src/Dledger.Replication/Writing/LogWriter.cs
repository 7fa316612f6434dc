using Dledger.Primitives;
using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Writing;

/// <summary>The loop that writes: batches of frames with one sync each, truncations, and the meta file.</summary>
/// <remarks>
/// It takes everything that has gathered during the last sync and writes it at once, so the batch grows with the load
/// and no timer is needed (raft-and-storage.md 8.6). Order is kept: metadata given before frames is durable before they
/// are written (invariant I3). After the first fault nothing is reported any more (I32). A disk without room for a new
/// segment is no fault: what does not fit is kept and tried again, and the node counts as stalled meanwhile.
/// </remarks>
internal sealed class LogWriter : ILoop
{
    private const long BatchBytesMax = 32L << 20;
    private const int IdleMilliseconds = 100;
    private const int AsyncSyncMilliseconds = 200;
    private const int SpaceMilliseconds = 100;

    private readonly CommitLog _log;
    private readonly MetaFile _meta;
    private readonly LogClock _clock;
    private readonly ILogWriterReports _reports;
    private readonly bool _isAsync;
    private readonly SwapQueue<WriterWork> _queue;
    private readonly List<ReadOnlyMemory<byte>> _batch = [];
    private List<WriterWork> _work = [];
    private uint _batchGeneration;
    private LogPosition _batchEnd;
    private long _batchBytes;
    private int _batchWorkCount;
    private bool _isSyncOwed;
    private long _syncOwedSince;
    private bool _isWatermarkOwed;
    private long _busySince;
    private long _idleSince;
    private bool _isLogClosed;

    public LogWriter(
        CommitLog log, MetaFile meta, LogClock clock, FlushMode flushMode, ILogWriterReports reports, string name)
    {
        _log = log;
        _meta = meta;
        _clock = clock;
        _reports = reports;
        _isAsync = flushMode == FlushMode.QuorumAsync;
        _queue = new SwapQueue<WriterWork>(Signal);
        Name = name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>
    /// When the unfinished write or sync began, in monotonic microseconds; null when none is unfinished. Any thread.
    /// </summary>
    public long? BusySince
    {
        get
        {
            var since = Volatile.Read(ref _busySince);
            return since == 0 ? null : since;
        }
    }

    /// <summary>Queues work. The replication loop only; its caps bound what can wait here.</summary>
    public void Add(WriterWork work) => _queue.TryAdd(work);

    /// <summary>Writes all that has gathered, with one sync. The last turn follows <see cref="StopWriting"/> or a fault.</summary>
    public NextTurn Turn()
    {
        try
        {
            return Work();
        }
        catch (Exception fault)
        {
            _queue.Close();
            _reports.WriterFailed(fault);
            return NextTurn.Never;
        }
    }

    private NextTurn Work()
    {
        if (!_queue.TryTakeAll(ref _work))
        {
            FlushBatch();
            return _batch.Count > 0 ? NextTurn.After(SpaceMilliseconds)
                : FinishOwedSyncs() ? NextTurn.AtOnce
                : NextTurn.After(OwedWaitMilliseconds());
        }

        foreach (var item in _work)
        {
            if (item is StopWriting stop)
            {
                Stop(stop);
                return NextTurn.Never;
            }

            Execute(item);
        }

        FlushBatch();
        return _batch.Count > 0 ? NextTurn.After(SpaceMilliseconds) : NextTurn.AtOnce;
    }

    private void Execute(WriterWork work)
    {
        switch (work)
        {
            // Term and vote are in a file of their own.
            case not WriteMetadata when _isLogClosed:
                (work as RepairLogRange)?.Done("the log is being opened anew", null);
                break;
            case WriteFrames write:
                Gather(write);
                break;
            case CutLog cut:
                Cut(cut.Position);
                break;
            case WriteMetadata metadata:
                FlushBatch();
                Busy();
                _meta.Write(metadata.Metadata);
                Idle();
                _reports.MetadataDurable(metadata.Version);
                break;
            case CheckpointLog checkpoint:
                FlushBatch();
                if (checkpoint.Committed <= _log.DurableEnd && _log.IsCheckpointDue(checkpoint.Committed))
                {
                    _log.WriteLogCheckpoint(checkpoint.Committed);
                }

                break;
            case AdvanceLogStart advance:
                FlushBatch();
                _log.AdvanceStart(advance.Start, advance.Start);
                break;
            case RepairLogRange repair:
                FlushBatch();
                var refusal = _log.RepairRange(repair.Range, repair.Frames.Span, out var rest);
                repair.Done(refusal, rest);
                break;
            case RepairSegmentHeader header:
                FlushBatch();
                _log.RepairHeader(header.SegmentBase);
                break;
        }
    }

    private void Cut(LogPosition position)
    {
        FlushBatch();
        DropUnwritten(position);
        Busy();
        try
        {
            _log.TruncateTo(LogPosition.Min(position, _log.WrittenEnd));
        }
        catch (DamagedFileException damage)
        {
            // What the log would end with is rotten. Nobody was told that the cut is done, so a log that is longer does no harm.
            _isLogClosed = true;
            _reports.LogIsDamaged(damage.Message);
        }

        Idle();
    }

    private void Gather(WriteFrames write)
    {
        if (_batch.Count > 0 && (write.Generation != _batchGeneration || _batchBytes >= BatchBytesMax))
        {
            FlushBatch();
        }

        for (var i = 0; i < write.Frames.Count; i++)
        {
            _batch.Add(write.Frames[i]);
            _batchBytes += write.Frames[i].Length;
        }

        _batchGeneration = write.Generation;
        _batchEnd = write.End;
        _batchWorkCount++;
    }

    private void FlushBatch()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        Busy();
        var written = _log.Append(_batch);
        if (written == _batch.Count)
        {
            MakeDurable(_batchEnd, _batchWorkCount);
            _batch.Clear();
            _batchBytes = 0;
            _batchWorkCount = 0;
            Idle();
        }
        else if (written > 0)
        {
            // The rest waits for space; the writer stays busy, so that the core hands leadership to a node that has some.
            _batchBytes -= _batch.Take(written).Sum(static frame => (long)frame.Length);
            _batch.RemoveRange(0, written);
            MakeDurable(_log.WrittenEnd, workCount: 0);
        }
    }

    private void MakeDurable(LogPosition end, int workCount)
    {
        if (_isAsync)
        {
            _syncOwedSince = _isSyncOwed ? _syncOwedSince : _clock.Monotonic();
            _isSyncOwed = true;
            SyncWhenOwedForLong();
        }
        else
        {
            var durable = _log.Sync();
            Invariant.Check(durable >= end, $"synced to {durable}, written to {end}");
        }

        _isWatermarkOwed = true;
        _reports.LogDurable(end, _batchGeneration, workCount);
    }

    // Frames that found no space and are cut off before they were written.
    private void DropUnwritten(LogPosition cut)
    {
        if (_batch.Count == 0)
        {
            return;
        }

        var end = _log.WrittenEnd;
        var kept = 0;
        while (kept < _batch.Count && end + _batch[kept].Length <= cut)
        {
            end += _batch[kept].Length;
            kept++;
        }

        _batch.RemoveRange(kept, _batch.Count - kept);
        _batchBytes = _batch.Sum(static frame => (long)frame.Length);
        _batchEnd = end;
        if (_batch.Count == 0)
        {
            _reports.LogDurable(_log.DurableEnd, _batchGeneration, _batchWorkCount);
            _batchWorkCount = 0;
        }
    }

    // Once after the last write: a durable watermark at the end makes the next start quick. Then the disk rests.
    private bool FinishOwedSyncs()
    {
        if (_isSyncOwed)
        {
            return SyncWhenOwedForLong();
        }

        if (_isWatermarkOwed && _clock.Monotonic() - _idleSince >= IdleMilliseconds * 1000)
        {
            _isWatermarkOwed = false;
            _log.SyncWatermark();
            return true;
        }

        return false;
    }

    private bool SyncWhenOwedForLong()
    {
        if (_clock.Monotonic() - _syncOwedSince < AsyncSyncMilliseconds * 1000)
        {
            return false;
        }

        Busy();
        _log.Sync();
        Idle();
        _isSyncOwed = false;
        return true;
    }

    private int OwedWaitMilliseconds()
    {
        if (_isSyncOwed)
        {
            return (int)Math.Clamp(
                AsyncSyncMilliseconds - ((_clock.Monotonic() - _syncOwedSince) / 1000), 1, AsyncSyncMilliseconds);
        }

        return _isWatermarkOwed ? IdleMilliseconds : -1;
    }

    private void Stop(StopWriting stop)
    {
        if (stop.Metadata is { } metadata)
        {
            FlushBatch();
            if (_isSyncOwed)
            {
                _log.Sync();
            }

            _log.SyncWatermark();
            var tail = _log.Tail;
            _meta.Write(metadata with { CleanStop = new CleanStop(tail.End, tail.HeaderCrc) });
        }

        _queue.Close();
    }

    // The moment at which the oldest unfinished work began: a batch that waits for space keeps its own.
    private void Busy()
    {
        if (_busySince == 0)
        {
            Volatile.Write(ref _busySince, Math.Max(1, _clock.Monotonic()));
        }
    }

    private void Idle()
    {
        if (_batch.Count > 0)
        {
            return;
        }

        Volatile.Write(ref _busySince, 0);
        _idleSince = _clock.Monotonic();
    }
}
