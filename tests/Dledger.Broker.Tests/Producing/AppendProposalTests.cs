using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Tests.Producing;

public sealed class AppendProposalTests
{
    private static readonly ProposalFailure Lost = new(ProposalFailureKind.OutcomeUnknown, NodeId.None, "lost");

    /// <summary>The contract of proposals allows this when an apply throws; the rented records must not go back twice.</summary>
    [Fact]
    public async Task A_proposal_that_fails_after_it_was_applied_keeps_its_outcome()
    {
        var proposal = new AppendProposal(RecordBuffer.Rent(64), 1);
        var outcome = proposal.WaitAsync(CancellationToken.None);
        proposal.Add(new AppendEntry(new AppendedMessage(1, new QueueOffset(2), new LogPosition(3), 4)));

        proposal.Applied();
        proposal.Fail(Lost);

        Assert.Equal(new QueueOffset(2), Assert.Single((await outcome).Messages).QueueOffset);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_told_at_once_and_the_proposal_ends_by_itself()
    {
        using var caller = new CancellationTokenSource();
        var proposal = new AppendProposal(RecordBuffer.Rent(64), 1);
        var outcome = proposal.WaitAsync(caller.Token).AsTask();

        await caller.CancelAsync();
        proposal.Fail(Lost);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outcome);
    }

    [Fact]
    public async Task A_proposal_that_ended_before_anybody_waited_still_tells()
    {
        var proposal = new AppendProposal(RecordBuffer.Rent(64), 1);

        proposal.Fail(Lost);

        Assert.Equal(BrokerError.OutcomeUnknown, (await proposal.WaitAsync(CancellationToken.None)).Failure!.Value.Error);
    }
}
