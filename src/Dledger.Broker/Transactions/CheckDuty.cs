using Dledger.Broker.Commands;
using Dledger.Broker.Proposals;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Transactions;

/// <summary>
/// Proposes which transactions are asked about, when it is time, and asks once that is applied. Volatile, the serving leader's only,
/// owned by the apply loop.
/// </summary>
internal sealed class CheckDuty(
    TransactionTable transactions, LeaderInbox inbox, Func<Proposal, ProposalFailure?> propose)
{
    /// <summary>Transactions of one record: what one turn of the apply loop should not take longer for.</summary>
    private const int BatchMax = 1_000;

    private bool _isProposed;

    /// <summary>Log time of the next check; <see cref="long.MaxValue"/> while one is on its way.</summary>
    public long NextAt => _isProposed ? long.MaxValue : transactions.NextCheckAt;

    /// <summary>This node began or ceased to serve.</summary>
    public void Reset() => _isProposed = false;

    /// <summary>Proposes what is due.</summary>
    public void Work(long logTimeNow)
    {
        if (NextAt > logTimeNow)
        {
            return;
        }

        var command = new TransactionCheckCommand(transactions.TakeDue(logTimeNow, BatchMax));
        _isProposed = true;
        var record = ControlRecord.Encode(RecordKind.TransactionCheck, command.Encode());
        _isProposed = propose(new LeaderProposal(record, inbox, (_, _) => _isProposed = false)) is null;
    }
}
