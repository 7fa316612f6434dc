using Dledger.Replication;

namespace Dledger.ClusterSimulation.Mutations;

/// <summary>The log with one defect: reads do not wait until a majority confirms that the node still leads.</summary>
internal sealed class CredulousReads(IReplicatedLog log) : IReplicatedLog
{
    public RaftGroupId Group => log.Group;

    public ReplicationStatus Status => log.Status;

    public Task LeadershipMoved => log.LeadershipMoved;

    public Guid ClusterId => log.ClusterId;

    public long LogTimeNow => log.LogTimeNow;

    public IReadOnlyList<LogSegment> Segments => log.Segments;

    public bool TryPropose(Proposal proposal, out ProposalFailure failure) => log.TryPropose(proposal, out failure);

    public bool TryPost(IStateMachineRequest request) => log.TryPost(request);

    public ValueTask<ProposalFailure?> ConfirmLeadershipAsync(CancellationToken cancellationToken) =>
        new(Status.IsServing
            ? null
            : new ProposalFailure(ProposalFailureKind.NotLeader, Status.Leader, "this node does not lead"));

    public int Read(LogPosition position, Span<byte> destination) => log.Read(position, destination);

    public void Prefetch(LogPosition position, int length) => log.Prefetch(position, length);

    public void Release(LogPosition below) => log.Release(below);

    public void ReportUnreadable(LogPosition position) => log.ReportUnreadable(position);

    public Task<bool> TransferLeadershipAsync(NodeId? target, CancellationToken cancellationToken) =>
        log.TransferLeadershipAsync(target, cancellationToken);

    public Task<MembershipOutcome> ChangeMembershipAsync(
        MembershipChange change, TimeSpan patience, CancellationToken cancellationToken) =>
        log.ChangeMembershipAsync(change, patience, cancellationToken);

    public Task<bool> DrainAsync(bool isDrained, CancellationToken cancellationToken) =>
        log.DrainAsync(isDrained, cancellationToken);
}
