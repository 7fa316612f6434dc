using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>From failures of the replicated log to those of the broker.</summary>
internal static class FailureMapping
{
    public static BrokerFailure Of(ProposalFailure failure) => new(
        failure.Kind switch
        {
            ProposalFailureKind.NotLeader => BrokerError.NotLeader,
            ProposalFailureKind.Busy => BrokerError.Busy,
            ProposalFailureKind.OutcomeUnknown => BrokerError.OutcomeUnknown,
            ProposalFailureKind.Unavailable => BrokerError.Unavailable,
            ProposalFailureKind.Stopping => BrokerError.Stopping,
            _ => throw new InvariantViolationException($"unknown proposal failure {failure.Kind}"),
        },
        failure.Detail,
        failure.Leader);
}
