using Dledger.Primitives;
using Dledger.Replication.Applying;
using Dledger.Storage.Frames;

namespace Dledger.Replication.Driving;

/// <summary>
/// The proposals of a leader on their way: first waiting for a frame, then in a frame that waits for its commit.
/// </summary>
/// <remarks>
/// Owned by the replication loop. On commit they pass to the apply loop; on loss of leadership they fail here.
/// </remarks>
internal sealed class WaitingProposals(LoopInbox inbox)
{
    private readonly Queue<Proposal> _waiting = new();
    private readonly Queue<ProposedFrame> _inFlight = new();
    private List<Proposal> _taken = [];

    /// <summary>Bytes of records that wait for a frame.</summary>
    public long WaitingBytes { get; private set; }

    /// <summary>Whether any proposal waits for a frame.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>Takes over what has arrived in the inbox.</summary>
    public void TakeArrived()
    {
        if (!inbox.TryTakeProposals(ref _taken))
        {
            return;
        }

        foreach (var proposal in _taken)
        {
            _waiting.Enqueue(proposal);
            WaitingBytes += proposal.Records.Length;
        }
    }

    /// <summary>Takes the oldest proposals for a frame of about a size; a single larger one goes alone.</summary>
    public List<Proposal> TakeForFrame(int frameBytesTarget, List<ReadOnlyMemory<byte>> records)
    {
        var proposals = new List<Proposal>();
        long bytes = FrameHeader.Size;
        while (_waiting.TryPeek(out var next)
            && (proposals.Count == 0 || bytes + next.Records.Length <= frameBytesTarget))
        {
            _waiting.Dequeue();
            proposals.Add(next);
            records.Add(next.Records);
            bytes += next.Records.Length;
        }

        WaitingBytes -= bytes - FrameHeader.Size;
        inbox.ReleaseProposals(proposals.Count, bytes - FrameHeader.Size);
        return proposals;
    }

    /// <summary>Notes that proposals were cut into a frame.</summary>
    public void AddInFlight(in FrameSummary frame, IReadOnlyList<Proposal> proposals) =>
        _inFlight.Enqueue(new ProposedFrame(frame.Base, frame.End, proposals));

    /// <summary>Gives away the frames that a commit covers.</summary>
    public IReadOnlyList<ProposedFrame> TakeCommitted(LogPosition commit)
    {
        if (!_inFlight.TryPeek(out var first) || first.End > commit)
        {
            return [];
        }

        var committed = new List<ProposedFrame>();
        while (_inFlight.TryPeek(out var frame) && frame.End <= commit)
        {
            committed.Add(_inFlight.Dequeue());
        }

        return committed;
    }

    /// <summary>Fails those never appended with <paramref name="kind"/>, those in frames as unknown.</summary>
    public void FailAll(ProposalFailureKind kind, NodeId leader, string detail)
    {
        while (_inFlight.TryDequeue(out var frame))
        {
            foreach (var proposal in frame.Proposals)
            {
                proposal.Fail(new ProposalFailure(ProposalFailureKind.OutcomeUnknown, leader, detail));
            }
        }

        FailWaiting(kind, leader, detail);
    }

    /// <summary>Fails those that were never appended.</summary>
    public void FailWaiting(ProposalFailureKind kind, NodeId leader, string detail)
    {
        TakeArrived();
        inbox.ReleaseProposals(_waiting.Count, WaitingBytes);
        WaitingBytes = 0;
        while (_waiting.TryDequeue(out var proposal))
        {
            proposal.Fail(new ProposalFailure(kind, leader, detail));
        }
    }
}
