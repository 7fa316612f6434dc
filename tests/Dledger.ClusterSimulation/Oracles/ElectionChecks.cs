using Dledger.ClusterSimulation.Nodes;
using Dledger.Raft.Messages;
using Dledger.Storage.Metadata;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>Terms and votes as the messages of the nodes reveal them, across all lives (I2, I3, I5, I6).</summary>
internal sealed class ElectionChecks(SimulatedCluster cluster)
{
    private readonly Dictionary<(NodeId Voter, Term Term), NodeId> _votes = [];
    private readonly Dictionary<(NodeId Node, int Life), Term> _revealed = [];

    /// <summary>A message leaves a node.</summary>
    public void Sent(SimulatedNode from, NodeId to, PeerMessage message)
    {
        if (message is VoteRequest or VoteReply or AppendRequest or AppendReply)
        {
            CheckDurable(from, message);
        }

        switch (message)
        {
            case VoteRequest:
                Vote(from, from.Id, message.Term);
                CheckVoter(from, message);
                break;
            case VoteReply { IsGranted: true }:
                Vote(from, to, message.Term);
                CheckVoter(from, message);
                break;
            case PreVoteRequest or PreVoteReply { IsGranted: true }:
                CheckVoter(from, message);
                break;
        }
    }

    /// <summary>A node leads.</summary>
    public void Elected(SimulatedNode node, Term term)
    {
        var members = node.Replication!.Status.Members;
        var votes = cluster.Nodes.Count(voter => HasVote(voter.Id));
        cluster.Checks.Check(
            "I6",
            cluster.Scenario.ChangesMembers ? Electorate.IsMajority(members, HasVote) : votes > cluster.Nodes.Count / 2,
            $"node {node.Id} leads term {term} with {votes} votes of {members.Count} members");

        bool HasVote(NodeId voter) =>
            voter == node.Id || (_votes.TryGetValue((voter, term), out var candidate) && candidate == node.Id);
    }

    private void Vote(SimulatedNode voter, NodeId candidate, Term term)
    {
        var known = _votes.TryAdd((voter.Id, term), candidate) ? candidate : _votes[(voter.Id, term)];
        cluster.Checks.Check(
            "I2", known == candidate, $"node {voter.Id} votes for {known} and {candidate} in term {term}");
    }

    private void CheckVoter(SimulatedNode node, PeerMessage message) => cluster.Checks.Check(
        "I5",
        node.Replication?.Status.UnavailableReason is null,
        $"node {node.Id} sends {message}, but: {node.Replication?.Status.UnavailableReason}");

    // Once per life and term: a power loss at this moment must leave a meta file that knows the term.
    private void CheckDurable(SimulatedNode node, PeerMessage message)
    {
        if (_revealed.TryGetValue((node.Id, node.Life), out var revealed) && revealed >= message.Term)
        {
            return;
        }

        _revealed[(node.Id, node.Life)] = message.Term;
        var durable = DurableTerm(node.Disk.Disk.ReadDurable("meta"));
        cluster.Checks.Check(
            "I3",
            durable >= message.Term,
            $"node {node.Id} sends {message}, its disk knows term {durable}");
    }

    private static Term DurableTerm(byte[]? meta)
    {
        var (newest, term) = (0L, Term.Zero);
        for (var start = 0; start + MetaSlot.Bytes <= (meta?.Length ?? 0); start += MetaSlot.Bytes)
        {
            if (MetaSlot.TryParse(meta.AsSpan(start, MetaSlot.Bytes), out var version, out var found) && version > newest)
            {
                (newest, term) = (version, found!.Term);
            }
        }

        return term;
    }
}
