using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>
/// The replicated log of one group as the state machine and its callers see it. Every member is safe on any thread.
/// </summary>
public interface IReplicatedLog
{
    /// <summary>The group that this log belongs to.</summary>
    RaftGroupId Group { get; }

    /// <summary>The newest published picture of the node; an immutable snapshot.</summary>
    ReplicationStatus Status { get; }

    /// <summary>
    /// Completes when the leader, the term or this node's part in it changes, or it begins to serve. To be taken before
    /// <see cref="Status"/> is looked at, so that no change is missed.
    /// </summary>
    Task LeadershipMoved { get; }

    /// <summary>The random id given to the cluster at bootstrap; Guid.Empty before that.</summary>
    Guid ClusterId { get; }

    /// <summary>The log clock now: microseconds since the Unix epoch, never decreasing.</summary>
    long LogTimeNow { get; }

    /// <summary>Hands records to the leader's loop. Never blocks.</summary>
    /// <returns>False with the reason when nothing was kept; the proposal's Fail is then not called.</returns>
    bool TryPropose(Proposal proposal, out ProposalFailure failure);

    /// <summary>Hands a request to the apply loop. Never blocks.</summary>
    /// <returns>False when the inbox is full or the node has stopped; nothing was kept.</returns>
    bool TryPost(IStateMachineRequest request);

    /// <summary>
    /// Proves that this node led after the call had begun: a majority answered what was sent later (read index, Raft thesis 6.4). What
    /// the state machine has applied when the proof is there includes all that any leader had acknowledged before the call. Whoever
    /// reads the state for a caller must have it: a leader that was frozen does not know for a moment that there is another one.
    /// </summary>
    /// <returns>Null when it is proven, else why not; never later than the loss of leadership is noticed.</returns>
    ValueTask<ProposalFailure?> ConfirmLeadershipAsync(CancellationToken cancellationToken);

    /// <summary>Reads committed bytes, from memory where possible, else from disk. May block on the disk.</summary>
    /// <returns>
    /// The number of bytes read; less than asked only at the commit position or below the log's start (0).
    /// </returns>
    int Read(LogPosition position, Span<byte> destination);

    /// <summary>
    /// Says that a record will be read soon. Whoever needs many scattered ones tells of all of them first: the device then works on them
    /// at once. Advice; does not wait for the device.
    /// </summary>
    void Prefetch(LogPosition position, int length);

    /// <summary>
    /// The files of the log, oldest first; empty while it is not open. What lies before the base of one can be given up.
    /// </summary>
    IReadOnlyList<LogSegment> Segments { get; }

    /// <summary>
    /// Says that this node needs nothing before a position any more: its state machine can begin behind it from more than one durable
    /// checkpoint, and the cluster has agreed to forget it. Whole files are given up. Never blocks.
    /// </summary>
    void Release(LogPosition below);

    /// <summary>
    /// Says that committed bytes which <see cref="Read"/> gave are not what was written. They are mended with those of other nodes,
    /// if there are any, and can be read again later. Never blocks.
    /// </summary>
    void ReportUnreadable(LogPosition position);

    /// <summary>Moves leadership to <paramref name="target"/>, or to the best follower when null.</summary>
    /// <returns>
    /// True when another node leads afterwards; false when this node does not lead or nobody took over in time.
    /// </returns>
    Task<bool> TransferLeadershipAsync(NodeId? target, CancellationToken cancellationToken);

    /// <summary>
    /// On the leader: makes a node a voter, or takes one out. The same may be asked again at any time, also of the next
    /// leader, and goes on where it stands.
    /// </summary>
    /// <param name="change">What is wanted.</param>
    /// <param name="patience">After this time the answer says how it stands; the leader goes on with it.</param>
    /// <param name="cancellationToken">Stops waiting; does not take it back.</param>
    Task<MembershipOutcome> ChangeMembershipAsync(
        MembershipChange change, TimeSpan patience, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps leadership away from this node until it is undrained or starts again: it hands over, and leads only when
    /// nobody else can.
    /// </summary>
    /// <returns>False when the node takes no part.</returns>
    Task<bool> DrainAsync(bool isDrained, CancellationToken cancellationToken);
}
