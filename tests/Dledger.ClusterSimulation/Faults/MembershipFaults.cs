using Dledger.ClusterSimulation.Nodes;
using Dledger.Replication;

namespace Dledger.ClusterSimulation.Faults;

/// <summary>Operators at work, and disks that are lost for good: nodes are taken out, added, drained and replaced.</summary>
internal sealed class MembershipFaults(SimulatedCluster cluster, CopyBudget budget)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    // By node: the voter that it was before its disk was lost, until another one stands in its place.
    private readonly Dictionary<NodeId, Guid> _lost = [];

    // Asked for, and perhaps done later.
    private bool _mayRemove;

    private ReplicationNode? Leader => cluster.Nodes
        .FirstOrDefault(node => node.Replication?.Status.IsServing == true && !node.IsPaused)?.Replication;

    /// <summary>
    /// The machine comes back with an empty disk. Only one at a time: what a majority of disks forgets is lost, here as
    /// anywhere.
    /// </summary>
    public void Wipe(SimulatedNode node)
    {
        if (Leader?.Status.Members is not { } members || !node.IsUp || node.IsPaused)
        {
            return;
        }

        foreach (var (lost, storage) in _lost)
        {
            if (members.Any(member => member.Node == lost && member.StorageId != storage))
            {
                _lost.Remove(lost);
                budget.Replaced(lost);
            }
        }

        var isCalm = _lost.Count == 0 && !_mayRemove && members.Count >= 3
            && members.All(member => member.Role == MemberRole.Voter);
        if (isCalm && members.FirstOrDefault(member => member.Node == node.Id) is { } voter && budget.TryLose(node.Id))
        {
            cluster.Marks.Reach("disk lost for good");
            _lost.Add(node.Id, voter.StorageId);
            node.LoseDisk();
        }
    }

    /// <summary>A member is taken out, or a node that is none is made one.</summary>
    public void Change(SimulatedNode node)
    {
        if (Leader is not { } leader)
        {
            return;
        }

        var isMember = leader.Status.Members.Any(member => member.Node == node.Id);
        if (isMember && (_lost.Count > 0 || !budget.TryRemove(node.Id)))
        {
            // Both at once might leave less than a majority of what was promised.
            return;
        }

        _mayRemove |= isMember;
        cluster.Marks.Reach(isMember ? "removal of a node asked" : "addition of a node asked");
        _ = isMember
            ? CountAsync(leader.ChangeMembershipAsync(MembershipChange.Remove(node.Id), Patience, CancellationToken.None))
            : AddAsync(leader, node);
    }

    public void Drain(SimulatedNode node)
    {
        cluster.Marks.Reach("drain");
        _ = node.Replication?.DrainAsync(cluster.Random.Chance(0.5), CancellationToken.None);
    }

    /// <summary>Nothing keeps a node from leading any more.</summary>
    public void Heal()
    {
        foreach (var node in cluster.Nodes)
        {
            _ = node.Replication?.DrainAsync(isDrained: false, CancellationToken.None);
        }
    }

    /// <summary>Has the first node that is no voter made one; says what is missing, null when all are.</summary>
    public string? Complete()
    {
        if (Leader is not { } leader)
        {
            return "there is no leader";
        }

        var members = leader.Status.Members;
        var absent = cluster.Nodes.FirstOrDefault(node => members.All(
            member => member.Node != node.Id || member.Role == MemberRole.Learner));
        if (absent is not null)
        {
            _ = AddAsync(leader, absent);
            return $"node {absent.Id} is to be added";
        }

        return members.Count == cluster.Nodes.Count && members.All(member => member.Role == MemberRole.Voter)
            && cluster.Nodes.All(node => node.Replication?.Status.IsMember == true)
            ? null
            : string.Join(' ', members.Select(member => $"{member.Node}:{member.Role}"));
    }

    private static MembershipChange Addition(SimulatedNode node) =>
        MembershipChange.Add(new ClusterMember(node.Id, $"host-{node.Id}", 1));

    private async Task AddAsync(ReplicationNode leader, SimulatedNode node)
    {
        if (await CountAsync(leader.ChangeMembershipAsync(Addition(node), Patience, CancellationToken.None)))
        {
            budget.Added(node.Id);
        }
    }

    private async Task<bool> CountAsync(Task<MembershipOutcome> asked)
    {
        var isDone = (await asked).Kind == MembershipOutcomeKind.Done;
        if (isDone)
        {
            cluster.Marks.Reach("change of the members done");
        }

        return isDone;
    }
}
