using Dledger.Primitives;
using Dledger.Raft;

namespace Dledger.Replication.Driving;

/// <summary>Callers that wait for the proof that this node still leads. Owned by the replication loop.</summary>
internal sealed class LeadershipQuestions(RaftCore core, NodeId self)
{
    private readonly Queue<(long Number, LeadershipAsked Question)> _waiting = new();
    private long _last;

    /// <summary>Passes a question on to the core, or answers it when this node does not lead.</summary>
    public void Ask(long now, LeadershipAsked question)
    {
        // First in the queue: a node that is alone has its proof at once.
        _waiting.Enqueue((++_last, question));
        if (!core.ConfirmLeadership(now, _last))
        {
            FailAll(ProposalFailureKind.NotLeader, core.Leader == self ? NodeId.None : core.Leader, "this node does not lead");
        }
    }

    /// <summary>All questions up to a number are answered.</summary>
    public void Confirmed(long number)
    {
        while (_waiting.TryPeek(out var oldest) && oldest.Number <= number)
        {
            _waiting.Dequeue().Question.Completion.TrySetResult(null);
        }
    }

    /// <summary>Nobody is told any more that this node leads.</summary>
    public void FailAll(ProposalFailureKind kind, NodeId leader, string detail)
    {
        while (_waiting.TryDequeue(out var waiting))
        {
            waiting.Question.Completion.TrySetResult(new ProposalFailure(kind, leader, detail));
        }
    }
}
