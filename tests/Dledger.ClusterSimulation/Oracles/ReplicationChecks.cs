using Dledger.ClusterSimulation.Nodes;
using Dledger.Replication;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What the nodes say of themselves, compared with each other and with what they said before.</summary>
internal sealed class ReplicationChecks(SimulatedCluster cluster)
{
    private readonly Dictionary<Term, NodeId> _leaders = [];
    private readonly ReplicationStatus?[] _last = new ReplicationStatus?[cluster.Scenario.NodeCount + 1];
    private readonly Dictionary<(NodeId Node, int Life), Term> _startedIn = [];
    private IReadOnlyList<MemberStatus> _members = [];
    private IReadOnlyList<MemberStatus> _membersBefore = [];
    private Term _highestLed;
    private NodeId _serving;

    /// <summary>The configuration of the leader, and the one before: a commit under that one may be seen a moment later.</summary>
    public IEnumerable<IReadOnlyList<MemberStatus>> Configurations => [_members, _membersBefore];

    public void Observe(SimulatedNode node, ReplicationStatus status)
    {
        var last = _last[node.Id.Value];
        if (ReferenceEquals(last, status))
        {
            return;
        }

        if (status is { Role: ReplicationRole.Passive, UnavailableReason: not null })
        {
            // Starting, or its log is closed to be mended: what it says of the log counts when that is open.
            _last[node.Id.Value] = null;
            _startedIn.Remove((node.Id, node.Life));
            CheckDamage(node, status);
            return;
        }

        _last[node.Id.Value] = status;
        _startedIn.TryAdd((node.Id, node.Life), status.Term);
        var checks = cluster.Checks;
        if (status.Role == ReplicationRole.Leader)
        {
            if (status.Term >= _highestLed && !status.Members.SequenceEqual(_members))
            {
                (_membersBefore, _members) = (_members, status.Members);
                ConfigurationChecks.Check(cluster, _membersBefore, _members);
            }

            var known = _leaders.TryAdd(status.Term, node.Id) ? node.Id : _leaders[status.Term];
            checks.Check("I1", known == node.Id, $"nodes {known} and {node.Id} both lead term {status.Term}");
            checks.Check(
                "I8",
                status.Term > _startedIn.GetValueOrDefault((node.Id, node.Life)),
                $"node {node.Id} leads term {status.Term}, in which it started");
            if (last?.Role != ReplicationRole.Leader)
            {
                checks.Elections.Elected(node, status.Term);

                // Late votes may still make a leader of an old term, which learns at once that it is none.
                _highestLed = status.Term > _highestLed ? status.Term : _highestLed;
                checks.Check(
                    "I4",
                    status.Term < _highestLed || status.End >= cluster.Oracle.End,
                    $"node {node.Id} leads term {status.Term} with a log up to {status.End}, committed is {cluster.Oracle.End}");
            }
        }

        if (status.IsServing && _serving != node.Id)
        {
            _serving = node.Id;
            cluster.Marks.Reach("leader changed");
        }

        checks.Check(
            "I2",
            last is null || status.Term >= last.Term,
            $"node {node.Id} is in term {status.Term} after term {last!.Term}");
        checks.Check(
            "I12",
            status.Applied <= status.Commit && status.Commit <= status.End && status.Durable <= status.End,
            $"node {node.Id}: applied {status.Applied}, commit {status.Commit}, durable {status.Durable}, end {status.End}");
        checks.Check(
            "I21",
            last is null || status.Commit >= last.Commit,
            $"node {node.Id} has commit {status.Commit} after {last!.Commit}");
        checks.Commits.Observe(node, last, status);
        if (last is null && status.Role != ReplicationRole.Passive)
        {
            // Only a damaged log, or one without the state before it, may be given up, and then the node says so and decides nothing.
            checks.Check(
                "I14",
                status.End >= LogPosition.Min(node.Promised, cluster.Oracle.End)
                    || (status.HasLoss && (cluster.LogRot.HasHit(node) || IsStateGone(node))),
                $"node {node.Id} had {node.Promised} durable, of which {cluster.Oracle.End} are committed, "
                    + $"and comes back with {status.End}");
        }
        else if (last is null)
        {
            // Still starting: what it says of its log counts from the first picture of a member.
            _last[node.Id.Value] = null;
        }
    }

    // With all checkpoints rotten, what the log has given up is missing too.
    private bool IsStateGone(SimulatedNode node) =>
        cluster.DiskFaults.HasHitCheckpoint(node) && cluster.Oracle.LogStart > LogPosition.Zero;

    private void CheckDamage(SimulatedNode node, ReplicationStatus status)
    {
        var reason = status.UnavailableReason!;
        var isDamaged = reason.Contains("log corrupt", StringComparison.Ordinal)
            || reason.Contains("log is damaged", StringComparison.Ordinal)
            || reason.Contains("cannot be read", StringComparison.Ordinal);
        cluster.Checks.Check(
            "I15", !isDamaged || IsStateGone(node) || cluster.LogRot.HasHit(node), $"node {node.Id} with a sound disk says: {reason}");
    }

    /// <summary>A process is gone; its successor starts a new life.</summary>
    public void Ended(SimulatedNode node)
    {
        _last[node.Id.Value] = null;
        cluster.Checks.Commits.Ended(node);
    }
}
