using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Messages;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Invariants;

/// <summary>I1 to I8: what must hold of terms, votes and leaders over all nodes and all their lives.</summary>
internal sealed class ElectionChecks(Checks checks)
{
    private readonly Dictionary<Term, NodeId> _leaders = [];
    private readonly Dictionary<(Member Voter, Term Term), (NodeId Candidate, bool HasReserve)> _durableVotes = [];
    private readonly Dictionary<(Member Voter, Term Term), NodeId> _sentVotes = [];

    /// <summary>The node that led a term, if any did.</summary>
    public NodeId LeaderOf(Term term) => _leaders.GetValueOrDefault(term);

    public void VotePersisted(Member voter, Term term, NodeId vote, bool hasLoss)
    {
        if (vote != NodeId.None && !_durableVotes.ContainsKey((voter, term)))
        {
            _durableVotes[(voter, term)] = (vote, hasLoss);
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

        var configuration = node.Configuration;
        var isByMajority = MemberChecks.IsQuorum(configuration, voter => Votes(voter, core.Term, node.Id, withReserve: false));
        var isByAll = configuration.Voters.Concat(configuration.VotersNew).All(voter => Votes(voter, core.Term, node.Id, withReserve: true));
        checks.Check("I6", isByMajority || isByAll, $"node {node.Id} leads term {core.Term} without the votes of {configuration}");
        if (!isByMajority)
        {
            node.Cluster.Marks.Reach("unanimous election");
        }

        if (configuration.IsJoint)
        {
            node.Cluster.Marks.Reach("elected by a joint configuration");
        }

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

        if (message is PreVoteReply { IsGranted: true, HasLoss: false } or VoteReply { IsGranted: true, HasLoss: false })
        {
            checks.Check("I5", !node.Disk.HasLoss, $"node {node.Id} has the loss flag and grants without reserve");
        }

        if (message is VoteReply { IsGranted: true, HasLoss: true })
        {
            node.Cluster.Marks.Reach("vote with reserve");
        }

        if (message is TimeoutNow)
        {
            var target = node.Cluster.Find(receiver)!;
            checks.Check("T", node.Configuration.IsVoter(target.Id), $"node {node.Id} hands over to {receiver}, no voter of {node.Configuration}");
        }

        if (message is VoteReply { IsGranted: true } vote)
        {
            var isFirst = _sentVotes.TryAdd((node.Disk.Member, vote.Term), receiver);
            checks.Check(
                "I2",
                isFirst || _sentVotes[(node.Disk.Member, vote.Term)] == receiver,
                $"node {node.Id} votes for {receiver} in term {vote.Term} after {_sentVotes[(node.Disk.Member, vote.Term)]}");
        }
    }

    private bool Votes(Member voter, Term term, NodeId candidate, bool withReserve) =>
        _durableVotes.TryGetValue((voter, term), out var vote) && vote.Candidate == candidate && (withReserve || !vote.HasReserve);
}
