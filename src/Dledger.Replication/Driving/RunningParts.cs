using Dledger.Replication.Applying;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Driving;

/// <summary>What exists while a node takes part: made when its log is open, ended in the reverse order.</summary>
internal sealed class RunningParts(
    CommitLog log, TailCache cache, LogWriter writer, ApplyLoop apply, SegmentPreparer preparer)
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(15);

    public CommitLog Log => log;

    public TailCache Cache => cache;

    public LogWriter Writer => writer;

    public ApplyLoop Apply => apply;

    /// <summary>Set once the state machine is restored.</summary>
    public ReplicationLoop? Loop { get; set; }

    /// <summary>Starts the threads below the replication loop.</summary>
    public void Start()
    {
        preparer.Start();
        writer.Start();
        apply.Start();
    }

    /// <summary>Ends the threads; the replication loop has ended before. False when one of them hangs.</summary>
    public bool Stop(bool isFault)
    {
        apply.Add(new StopApplying(isFault));
        var isApplyDone = apply.Join(JoinPatience);

        // After a fault the files stay as they are: recovery, not a flush of ours, decides what counts.
        writer.Add(new StopWriting(isFault ? null : Loop?.Metadata));
        var isWriterDone = writer.Join(JoinPatience);
        preparer.Dispose();
        return isApplyDone && isWriterDone;
    }
}
