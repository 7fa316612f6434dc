using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>A proposal of the broker: knows when its last record was applied.</summary>
internal abstract class BrokerProposal(ReadOnlyMemory<byte> records, int recordCount) : Proposal(records, recordCount)
{
    /// <summary>Called on the apply loop once all records are applied.</summary>
    public abstract void Applied();
}
