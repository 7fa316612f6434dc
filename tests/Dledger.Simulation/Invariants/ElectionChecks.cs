using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Messages;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Invariants;

/// <summary>I1 to I8: what must hold of terms, votes and leaders over all nodes and all their lives.</summary>
internal sealed class ElectionChecks(Checks checks, int nodeCount)
{
    private readonly Dictionary<Term, NodeId> _leaders = [];
    private readonly Dictionary<(NodeId Node, Term Term), NodeId> _durableVotes = [];
    private readonly Dictionary<(NodeId Node, Term Term), NodeId> _sentVotes = [];

    /// <summary>The node that led a term, if any did.</summary>
    public NodeId LeaderOf(Term term) => _leaders.GetValueOrDefault(term);

    public void VotePersisted(NodeId node, Term term, NodeId vote)
    {
        if (vote != NodeId.None)
        {
            _durableVotes[(node, term)] = vote;
        }
    }

    public void LeaderElected(SimulatedNode node)
    {
        var core = node.Core!;
        checks.Check(
            "I1",
            _leaders.TryAdd(core.Term, node.Id),
            $"node {node.Id} leads term {core.Term}, which node {_leaders[core.Term]} led");
        checks.Check("I8", core.Term > node.BootTerm, $"node {node.Id} leads term {core.Term} that it booted with");

        var votes = 0;
        for (var voter = 1; voter <= nodeCount; voter++)
        {
            votes += _durableVotes.GetValueOrDefault((new NodeId(voter), core.Term)) == node.Id ? 1 : 0;
        }

        checks.Check("I6", votes >= Quorum.Size(nodeCount), $"node {node.Id} leads term {core.Term} with {votes} durable votes");
        // The name of a prefix covers all frames before it, so the last committed one stands for all.
        var committed = checks.Commits.Committed;
        var last = committed.Count - 1;
        while (last >= 0 && committed[last].Term >= core.Term)
        {
            last--;
        }

        checks.Check(
            "I4",
            last < 0 || node.Log.PrefixHashAt(committed[last].Frame.End) == committed[last].Frame.PrefixHash,
            $"node {node.Id} leads term {core.Term} without the frame that ends at {committed[Math.Max(0, last)].Frame.End}");
    }

    public void Sent(SimulatedNode node, NodeId receiver, PeerMessage message)
    {
        checks.Check(
            "I3",
            message.Term <= node.Disk.Term,
            $"node {node.Id} sends a message of term {message.Term}, durable is {node.Disk.Term}");
        var isGrant = message is PreVoteReply { IsGranted: true } or VoteReply { IsGranted: true };
        if (isGrant || message is PreVoteRequest or VoteRequest)
        {
            checks.Check("I5", node.Core!.Role != RaftRole.Passive, $"passive node {node.Id} sends {message.GetType().Name}");
        }

        if (message is VoteReply { IsGranted: true } vote)
        {
            var isFirst = _sentVotes.TryAdd((node.Id, vote.Term), receiver);
            checks.Check(
                "I2",
                isFirst || _sentVotes[(node.Id, vote.Term)] == receiver,
                $"node {node.Id} votes for {receiver} in term {vote.Term} after {_sentVotes[(node.Id, vote.Term)]}");
        }
    }
}
