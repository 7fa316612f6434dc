using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>
/// A proposal that the leader makes on its own account; nobody awaits it. Its end is handled on the apply loop.
/// </summary>
internal sealed class LeaderProposal(
    ReadOnlyMemory<byte> records, LeaderInbox inbox, Action<LeaderProposal, bool> ended, int recordCount = 1)
    : BrokerProposal(records, recordCount)
{
    /// <inheritdoc/>
    public override void Applied() => ended(this, true);

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure) => inbox.Add(() => ended(this, false));
}
