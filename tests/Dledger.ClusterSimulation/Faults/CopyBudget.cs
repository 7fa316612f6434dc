using Dledger.ClusterSimulation.Nodes;

namespace Dledger.ClusterSimulation.Faults;

/// <summary>
/// Which nodes may lack a part of what they promised: those without such a fault must stay a majority of the voters, whatever
/// became of the changes that were asked for. What a majority of the disks forgets is lost, here as anywhere.
/// </summary>
/// <remarks>
/// A node that was damaged counts for the rest of the run: that all of its log was mended shows only at the end. A removal
/// counts from the moment at which it is asked for, since it may be done although nobody heard of it.
/// </remarks>
internal sealed class CopyBudget(SimulatedCluster cluster)
{
    private readonly HashSet<NodeId> _damaged = [];

    // Their disk was lost, and nobody stands in their place yet.
    private readonly HashSet<NodeId> _lost = [];

    // Asked to go, and not added again since.
    private readonly HashSet<NodeId> _going = [];

    /// <summary>The damaged ones in the order of their numbers.</summary>
    public IEnumerable<NodeId> Damaged => _damaged.Order();

    private int FewestVoters => cluster.Nodes.Count - _going.Count;

    public bool IsDamaged(NodeId node) => _damaged.Contains(node);

    /// <summary>Whether damage may hit a node; from then on it counts.</summary>
    public bool TryDamage(SimulatedNode node)
    {
        if (!Fits(node.Id, FewestVoters))
        {
            return false;
        }

        _damaged.Add(node.Id);
        return true;
    }

    /// <summary>Whether a voter's disk may be lost for good.</summary>
    public bool TryLose(NodeId node)
    {
        if (!Fits(node, FewestVoters))
        {
            return false;
        }

        _lost.Add(node);
        return true;
    }

    /// <summary>A new disk stands in the place of the lost one.</summary>
    public void Replaced(NodeId node) => _lost.Remove(node);

    /// <summary>Whether a member may be asked to go. Without any damage that is the cluster's own business.</summary>
    public bool TryRemove(NodeId node)
    {
        var fewest = FewestVoters - (_going.Contains(node) ? 0 : 1);
        if (_damaged.Count + _lost.Count > 0 && !Fits(null, fewest))
        {
            return false;
        }

        _going.Add(node);
        return true;
    }

    /// <summary>A node is a member again.</summary>
    public void Added(NodeId node) => _going.Remove(node);

    private bool Fits(NodeId? another, int voters)
    {
        var lacking = _damaged.Union(_lost).Count(node => node != another) + (another is null ? 0 : 1);
        return lacking <= (voters - 1) / 2;
    }
}
