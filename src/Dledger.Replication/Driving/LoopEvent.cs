using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Peers;
using Dledger.Replication.Repairing;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Driving;

/// <summary>What other threads tell the replication loop.</summary>
internal abstract record LoopEvent
{
    /// <summary>Answers whoever waits, when nobody will handle the event.</summary>
    /// <param name="reason">Why the node does not, in words.</param>
    public virtual void Refuse(string reason)
    {
    }
}

/// <summary>A checked message of a peer.</summary>
internal sealed record MessageArrived(PeerMessage Message) : LoopEvent;

/// <summary>The own outbound connection to a peer is open.</summary>
internal sealed record OutboundOpened(long Session, PeerIntroduction Introduction) : LoopEvent;

/// <summary>The own outbound connection to a peer has ended.</summary>
internal sealed record OutboundClosed(NodeId Peer, long Session, SessionCloseReason Reason) : LoopEvent;

/// <summary>The connection that a peer had opened has ended.</summary>
internal sealed record InboundClosed(NodeId Peer, long Session, SessionCloseReason Reason) : LoopEvent;

/// <summary>See <see cref="Writing.ILogWriterReports.LogDurable"/>.</summary>
internal sealed record LogSynced(LogPosition Position, uint Generation, int WorkCount) : LoopEvent;

/// <summary>See <see cref="Writing.ILogWriterReports.MetadataDurable"/>.</summary>
internal sealed record MetadataSynced(long Version) : LoopEvent;

/// <summary>Somebody wants another leader; the completion gets whether it worked.</summary>
internal sealed record TransferRequested(NodeId? Target, TaskCompletionSource<bool> Completion) : LoopEvent
{
    /// <inheritdoc/>
    public override void Refuse(string reason) => Completion.TrySetResult(false);
}

/// <summary>
/// Somebody wants other members; the completion gets the outcome, or how it stands when the patience is over.
/// </summary>
internal sealed record MembershipRequested(
    MembershipChange Change, TimeSpan Patience, TaskCompletionSource<MembershipOutcome> Completion) : LoopEvent
{
    /// <inheritdoc/>
    public override void Refuse(string reason) =>
        Completion.TrySetResult(new MembershipOutcome(MembershipOutcomeKind.NotLeader, reason, NodeId.None));
}

/// <summary>Somebody wants the proof that this node leads; the completion gets null, or why there is none.</summary>
internal sealed record LeadershipAsked(TaskCompletionSource<ProposalFailure?> Completion) : LoopEvent
{
    /// <inheritdoc/>
    public override void Refuse(string reason) =>
        Completion.TrySetResult(new ProposalFailure(ProposalFailureKind.Stopping, NodeId.None, reason));
}

/// <summary>Leadership is to be kept away from this node, or may come again.</summary>
internal sealed record DrainRequested(bool IsDrained, TaskCompletionSource<bool> Completion) : LoopEvent
{
    /// <inheritdoc/>
    public override void Refuse(string reason) => Completion.TrySetResult(false);
}

/// <summary>The node stops. A graceful stop hands leadership over first.</summary>
internal sealed record StopRequested(bool IsGraceful) : LoopEvent;

/// <summary>An answer to a request for frames of a damaged range.</summary>
internal sealed record RangeAnswered(RangeAnswer Answer) : LoopEvent;

/// <summary>Frames that a peer needs were read from disk, or could not be.</summary>
internal sealed record RangeWasRead(ReadFrames Frames) : LoopEvent;

/// <summary>The log is damaged where it cannot be mended while it is in use: it has to be opened anew.</summary>
internal sealed record ReopenRequested(string Reason) : LoopEvent;

/// <summary>The state machine needs nothing before a position any more.</summary>
internal sealed record LogReleased(LogPosition Below) : LoopEvent;

/// <summary>A snapshot of the leader is complete in the staging directory.</summary>
internal sealed record SnapshotReady(SnapshotManifest Manifest) : LoopEvent;

/// <summary>A peer refused this node's Hello.</summary>
internal sealed record DialWasRefused(NodeId Peer, string Reason) : LoopEvent;
