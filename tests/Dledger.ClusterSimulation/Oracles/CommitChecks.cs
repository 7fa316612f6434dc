using Dledger.ClusterSimulation.Nodes;
using Dledger.Raft.Messages;
using Dledger.Replication;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// How the end of a log, its commit position and the acks for it move, as statuses and messages show it (I13, I17, I22, I24).
/// </summary>
internal sealed class CommitChecks(SimulatedCluster cluster)
{
    // By session: the highest end of a range or of a match that the leader named in it.
    private readonly Dictionary<long, LogPosition> _named = [];

    // By node: the highest durable position that it reported since it was looked at last.
    private readonly LogPosition[] _reported = new LogPosition[cluster.Scenario.NodeCount + 1];

    // Commit positions that a leader counted, whose frames no node has applied yet, and the leader's term.
    private readonly Dictionary<LogPosition, Term> _counted = [];

    // The highest commit position that any leader ever told.
    private LogPosition _told;

    /// <summary>A message leaves a node.</summary>
    public void Sent(SimulatedNode from, PeerMessage message)
    {
        if (message is AppendRequest request)
        {
            _told = LogPosition.Max(_told, request.Commit);
            _named[message.Session] = LogPosition.Max(request.RangeEnd, _named.GetValueOrDefault(message.Session));
        }
        else if (message is AppendReply reply)
        {
            // Behind what the leader named lies perhaps an old tail of another history; below the commit position does not.
            var verified = LogPosition.Max(_told, _named.GetValueOrDefault(message.Session));
            cluster.Checks.Check(
                "I17",
                reply.Durable <= verified,
                $"node {from.Id} reports {reply.Durable} as durable, but knows the leader's log only up to {verified}");
            _reported[from.Id.Value] = LogPosition.Max(_reported[from.Id.Value], reply.Durable);
        }
    }

    /// <summary>A process ended: what it reported was checked, or nobody can tell any more.</summary>
    public void Ended(SimulatedNode node) => _reported[node.Id.Value] = LogPosition.Zero;

    /// <summary>A node that takes part says something new; <paramref name="last"/> is from the same life, or null.</summary>
    public void Observe(SimulatedNode node, ReplicationStatus? last, ReplicationStatus status)
    {
        var reported = _reported[node.Id.Value];
        _reported[node.Id.Value] = LogPosition.Zero;
        cluster.Checks.Check(
            "I17",
            reported <= LogPosition.Max(node.Promised, status.Durable),
            $"node {node.Id} reported {reported} as durable, but has {status.Durable}");
        if (last is not null && status.End < last.End)
        {
            cluster.Checks.Check(
                "I13",
                status.Role != ReplicationRole.Leader && status.End >= last.Commit,
                $"node {node.Id}, {status.Role}, cut its log from {last.End} to {status.End}, committed was {last.Commit}");
        }

        if (status.Role != ReplicationRole.Leader && last?.Role != ReplicationRole.Leader)
        {
            cluster.Checks.Check(
                "I24",
                status.Commit <= _told || last is null || status.Commit == last.Commit,
                $"node {node.Id} has commit {status.Commit}, no leader told more than {_told}");
            return;
        }

        // Perhaps it counted this and lost its place in one turn.
        _told = LogPosition.Max(_told, status.Commit);
        if (status.Role == ReplicationRole.Leader && last is { Role: ReplicationRole.Leader } && last.Term == status.Term && status.Commit > last.Commit)
        {
            CheckCounted(node, status);
        }
    }

    /// <summary>A frame is applied for the first time.</summary>
    public void Applied(LogPosition end, Term term)
    {
        if (_counted.Remove(end, out var counted))
        {
            CheckTerm(end, term, counted);
        }
    }

    private void CheckCounted(SimulatedNode node, ReplicationStatus status)
    {
        cluster.Checks.Check(
            "I22",
            Electorate.IsMajority(status.Members, Matches)
                || cluster.Checks.Replication.Configurations.Any(members => Electorate.IsMajority(members, Matches)),
            $"node {node.Id} has commit {status.Commit}, durable {status.Durable}, and its peers match up to "
                + string.Join(", ", status.Peers.Select(peer => $"{peer.Node}:{peer.Match}")));
        if (cluster.Oracle.FindTermBefore(status.Commit) is { } term)
        {
            CheckTerm(status.Commit, term, status.Term);
        }
        else
        {
            _counted[status.Commit] = status.Term;
        }

        // One that was taken out is no peer any more, though its match may have counted.
        bool Matches(NodeId member) => member == node.Id
            ? status.Durable >= status.Commit
            : !status.Peers.Any(peer => peer.Node == member)
                || status.Peers.Any(peer => peer.Node == member && peer.Match >= status.Commit);
    }

    private void CheckTerm(LogPosition end, Term term, Term counted) => cluster.Checks.Check(
        "I22", term == counted, $"the leader of term {counted} counted up to {end}, where a frame of term {term} ends");
}
