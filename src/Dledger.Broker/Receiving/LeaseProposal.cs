using Dledger.Broker.Commands;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Receiving;

/// <summary>A Lease record on its way; its reservations are released when it ends.</summary>
internal sealed class LeaseProposal(
    LeaseCommand command,
    Receivers receivers,
    ReceiveOperation? operation,
    LeaderInbox inbox,
    Action<LeaseProposal> failed)
    : BrokerProposal(ControlRecord.Encode(RecordKind.Lease, command.Encode()), 1)
{
    public LeaseCommand Command { get; } = command;

    public Receivers Receivers { get; } = receivers;

    /// <summary>Null when the record only skips.</summary>
    public ReceiveOperation? Operation { get; } = operation;

    /// <summary>Messages that the record asks for.</summary>
    public int LeasedCount { get; } = command.Queues.Sum(queue => queue.Leased.Sum(range => range.Count));

    /// <summary>For each queue of the command the message groups that are reserved for it.</summary>
    public required IReadOnlyList<IReadOnlyCollection<int>> Reserved { get; init; }

    /// <summary>Where <see cref="LeasedCount"/> is counted while the record is on its way.</summary>
    public required InFlightLimits Limits { get; init; }

    /// <summary>What the quotas were charged.</summary>
    public QuotaCharge Charge { get; init; }

    /// <summary>The grant was handed over when the record was applied.</summary>
    public override void Applied()
    {
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure)
    {
        Operation?.Complete(ReceiveGrant.Of(FailureMapping.Of(failure)));
        inbox.Add(() => failed(this));
    }
}
