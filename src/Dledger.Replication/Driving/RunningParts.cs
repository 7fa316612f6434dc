using Dledger.Replication.Applying;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Installing;
using Dledger.Replication.Loops;
using Dledger.Replication.Repairing;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Driving;

/// <summary>What exists while a node takes part: made when its log is open, ended in the reverse order.</summary>
internal sealed class RunningParts(
    CommitLog log,
    TailCache cache,
    LogWriter writer,
    ApplyLoop apply,
    DiskWorkLoop diskWork,
    ScrubLoop scrub,
    SnapshotLoop snapshots,
    RangeReader reader,
    DiskWatch disk)
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(15);

    private readonly SegmentPreparer _preparer = log.CreatePreparer();
    private ILoopRun? _writing;
    private ILoopRun? _applying;
    private ILoopRun? _working;
    private ILoopRun? _scrubbing;
    private ILoopRun? _fetching;
    private ILoopRun? _reading;
    private ILoopRun? _watching;

    public CommitLog Log => log;

    public TailCache Cache => cache;

    public LogWriter Writer => writer;

    public ApplyLoop Apply => apply;

    public ScrubLoop Scrub => scrub;

    public SnapshotLoop Snapshots => snapshots;

    public RangeReader Reader => reader;

    public DiskWatch Disk => disk;

    /// <summary>Set once the state machine is restored.</summary>
    public ReplicationLoop? Loop { get; set; }

    /// <summary>Starts the loops below the replication loop.</summary>
    public void Start(ILoopHost host)
    {
        host.Run(_preparer);
        _writing = host.Run(writer);
        _applying = host.Run(apply);
        _working = host.Run(diskWork);
        _scrubbing = host.Run(scrub);
        _fetching = host.Run(snapshots);
        _reading = host.Run(reader);
        _watching = host.Run(disk);
    }

    /// <summary>Ends the loops; the replication loop has ended before. False when one of them hangs.</summary>
    public async Task<bool> StopAsync(bool isFault)
    {
        scrub.Stop();
        snapshots.Stop();
        reader.Stop();
        disk.Stop();
        diskWork.Stop();
        var isWorkDone = _working is null || await _working.WaitForEndAsync(JoinPatience);

        // The state machine's last act writes to the same files, so not while the disk work hangs.
        apply.Add(new StopApplying(isFault || !isWorkDone));
        var isApplyDone = _applying is null || await _applying.WaitForEndAsync(JoinPatience);

        // After a fault the files stay as they are: recovery, not a flush of ours, decides what counts.
        writer.Add(new StopWriting(isFault ? null : Loop?.Metadata));
        var isWriterDone = _writing is null || await _writing.WaitForEndAsync(JoinPatience);
        var isFetchDone = _fetching is null || await _fetching.WaitForEndAsync(JoinPatience);
        var isScrubDone = _scrubbing is null || await _scrubbing.WaitForEndAsync(JoinPatience);
        var isReadDone = _reading is null || await _reading.WaitForEndAsync(JoinPatience);
        var isWatchDone = _watching is null || await _watching.WaitForEndAsync(JoinPatience);
        _preparer.Dispose();
        return isApplyDone && isWorkDone && isWriterDone && isScrubDone && isFetchDone && isReadDone && isWatchDone;
    }
}
