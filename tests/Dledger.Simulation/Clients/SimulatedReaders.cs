using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Effects;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Clients;

/// <summary>Asks nodes that serve whether they still lead, and judges the answer (I35).</summary>
internal sealed class SimulatedReaders(SimulatedCluster cluster)
{
    private sealed record Question(long Request, LogPosition CommittedBefore);

    private readonly Dictionary<(NodeId Node, int Life), Queue<Question>> _waiting = [];
    private long _last;

    public void Start()
    {
        if (cluster.Scenario.HasReads)
        {
            cluster.Events.After(cluster.Scenario.ProposalInterval, Ask);
        }
    }

    /// <summary>A node leads a new term: the driver has ended the questions of the one before.</summary>
    public void LeaderElected(SimulatedNode node) => _waiting[(node.Id, node.Life)] = new Queue<Question>();

    /// <summary>A node proved that it led: all that was committed by whomever before the question is committed there.</summary>
    public void Confirmed(SimulatedNode node, LeadershipConfirmed confirmed)
    {
        var waiting = _waiting[(node.Id, node.Life)];
        while (waiting.TryPeek(out var question) && question.Request <= confirmed.Request)
        {
            waiting.Dequeue();
            cluster.Marks.Reach("leadership confirmed");
            cluster.Checks.Check(
                "I35",
                node.Core!.Commit >= question.CommittedBefore,
                $"node {node.Id} answers a read with commit {node.Core.Commit}, but {question.CommittedBefore} was committed before it");
        }
    }

    private void Ask()
    {
        if (cluster.Clients.IsStopped)
        {
            return;
        }

        foreach (var node in cluster.Nodes)
        {
            // Also leaders that were replaced, or are paused, and do not know it yet.
            if (node.Core is { Role: RaftRole.Leader, TermStart: { } start } && node.Core.Commit > start)
            {
                var committed = cluster.Checks.Commits.End;
                node.Post("ask for leadership", (core, now) => AskOne(node, core, now, committed));
            }
        }

        cluster.Events.After(cluster.Random.NextInterval(cluster.Scenario.ProposalInterval), Ask);
    }

    private void AskOne(SimulatedNode node, RaftCore core, long now, LogPosition committed)
    {
        if (core.Role != RaftRole.Leader || core.TermStart is not { } start || core.Commit <= start)
        {
            return;
        }

        _waiting[(node.Id, node.Life)].Enqueue(new Question(++_last, committed));
        core.ConfirmLeadership(now, _last);
    }
}
