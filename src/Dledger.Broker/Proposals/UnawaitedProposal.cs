using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>A proposal whose loss does no harm: what it would have done happens later by itself.</summary>
internal sealed class UnawaitedProposal(ReadOnlyMemory<byte> records, int recordCount)
    : BrokerProposal(records, recordCount)
{
    /// <inheritdoc/>
    public override void Applied()
    {
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure)
    {
    }
}
