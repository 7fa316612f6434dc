using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication;

/// <summary>
/// What the replicated log drives: the deterministic state that is a function of the committed frames.
/// </summary>
/// <remarks>
/// Every member but <see cref="OpenSnapshot"/> is called on the apply loop and on no other thread, one call at a time, so an
/// implementation needs no locks of its own. An exception that leaves a member stops the node: a state machine that could not apply a committed
/// frame must not apply the next one. Apply must depend on the frame alone (raft-and-storage.md 2.16): no clock, no
/// randomness, no order of a hash table.
/// </remarks>
public interface IStateMachine
{
    /// <summary>
    /// Loads the newest checkpoint that describes a durable position of the own log. Called before anything else, and again
    /// when the log is opened anew, because it was damaged or replaced: whatever the machine held is void then.
    /// </summary>
    /// <returns>
    /// Where <see cref="Apply"/> continues; a frame boundary, <see cref="LogPosition.Zero"/> without checkpoint.
    /// </returns>
    LogPosition Restore(IRecoveredLog log);

    /// <summary>
    /// Applies one committed frame. Frames come in log order, each exactly once after a <see cref="Restore"/>.
    /// </summary>
    void Apply(in CommittedFrame frame);

    /// <summary>Serves a request that was posted by <see cref="IReplicatedLog.TryPost"/>.</summary>
    void Handle(IStateMachineRequest request);

    /// <summary>The role of this node changed, or it began or ceased to serve.</summary>
    void LeadershipChanged(Leadership leadership);

    /// <summary>
    /// Log time in microseconds at which <see cref="Due"/> wants to run; long.MaxValue when nothing is due.
    /// </summary>
    long NextDueLogTime { get; }

    /// <summary>
    /// Time-driven work of the serving leader: called when <see cref="NextDueLogTime"/> is reached, at most every 10
    /// ms. It proposes records; it does not change state.
    /// </summary>
    /// <param name="logTimeNow">Microseconds, never below the log time of the last applied frame.</param>
    void Due(long logTimeNow);

    /// <summary>
    /// House-keeping: write queues out, begin or continue a checkpoint. Called about every 100 ms while frames are
    /// applied and once more when the log falls silent; not called while idle.
    /// </summary>
    /// <param name="durable">The own log is durable up to here; no checkpoint may describe a later position.</param>
    /// <returns>
    /// What is left to do on the disk and need not hold up the apply loop; null: nothing. It runs once, on another thread, while frames
    /// go on being applied; an exception stops the node. This method is called again only after it has ended, and then soon. When the
    /// node stops it may never run.
    /// </returns>
    Action? Maintain(LogPosition durable);

    /// <summary>
    /// Opens the newest durable checkpoint for another node, or null when there is none. The only member that is called on any thread:
    /// it may read for seconds, and touches nothing but files.
    /// </summary>
    /// <param name="logStart">Where this node's log begins.</param>
    /// <param name="attachment">Goes with it.</param>
    SnapshotSource? OpenSnapshot(in ChainTail logStart, ReadOnlyMemory<byte> attachment);

    /// <summary>The last call, when the node stops: flush what makes the next start cheaper.</summary>
    void Stop();
}
