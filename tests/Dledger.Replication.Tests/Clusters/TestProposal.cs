using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>One message record with a body; ends with its position or with a failure.</summary>
internal sealed class TestProposal : Proposal
{
    private readonly TaskCompletionSource<ProposalOutcome> _outcome =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TestProposal(byte[] body)
        : base(RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, [], [], body), 1)
    {
    }

    public Task<ProposalOutcome> Outcome => _outcome.Task;

    public override void Fail(ProposalFailure failure) =>
        Assert.True(_outcome.TrySetResult(new ProposalOutcome(null, failure)), "a proposal ends once");

    public void Complete(LogPosition position) =>
        Assert.True(_outcome.TrySetResult(new ProposalOutcome(position, null)), "a proposal ends once");
}

/// <summary>Exactly one of the two is set.</summary>
internal sealed record ProposalOutcome(LogPosition? Position, ProposalFailure? Failure);
