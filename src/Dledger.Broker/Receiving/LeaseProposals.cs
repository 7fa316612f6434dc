using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Replication;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Lease records on their way: what they will take is kept away from other receives until they are applied or have failed. Volatile, the
/// serving leader's, owned by the apply loop.
/// </summary>
internal sealed class LeaseProposals(
    ReceiverIndex index, ReceiveBudget budget, LeaderInbox inbox, Func<Proposal, ProposalFailure?> propose)
{
    /// <summary>Proposes a record; without an operation it only skips.</summary>
    public void Propose(
        LeaseCommand command, Receivers receivers, ReceiveOperation? operation, Subscription? subscription, QuotaCharge charge = default)
    {
        var proposal = new LeaseProposal(command, receivers, operation, inbox, Failed)
        {
            Charge = charge,
            Reserved = Reserve(receivers, command.Queues, subscription),
            Limits = budget.Limits,
        };
        budget.Limits.Reserve(proposal);
        if (propose(proposal) is { } failure)
        {
            operation?.Complete(ReceiveGrant.Of(FailureMapping.Of(failure)));
            Release(proposal, failed: true);
        }
    }

    /// <summary>The record was applied.</summary>
    public void Applied(LeaseProposal proposal) => Release(proposal, failed: false);

    /// <summary>Keeps what a choice takes away from others; for each queue the message groups that are reserved.</summary>
    public static IReadOnlyCollection<int>[] Reserve(
        Receivers receivers, IReadOnlyList<LeaseQueue> queues, Subscription? subscription) =>
        [.. queues.Select(queue =>
            receivers.ReservationOf(queue.QueueId).Reserve(queue, subscription?.Cursors[queue.QueueId]))];

    /// <summary>Takes <see cref="Reserve"/> back.</summary>
    public static void Release(
        Receivers receivers,
        IReadOnlyList<LeaseQueue> queues,
        IReadOnlyList<IReadOnlyCollection<int>> reserved,
        bool failed)
    {
        for (var i = 0; i < queues.Count; i++)
        {
            receivers.ReservationOf(queues[i].QueueId).Release(queues[i], reserved[i], failed);
        }
    }

    private void Failed(LeaseProposal proposal)
    {
        Release(proposal, failed: true);
        index.Mark(proposal.Receivers);
    }

    private void Release(LeaseProposal proposal, bool failed)
    {
        proposal.Limits.Release(proposal);
        if (failed)
        {
            proposal.Charge.GiveBack();
        }

        if (index.IsCurrent(proposal.Receivers))
        {
            Release(proposal.Receivers, proposal.Command.Queues, proposal.Reserved, failed);
        }
    }
}
