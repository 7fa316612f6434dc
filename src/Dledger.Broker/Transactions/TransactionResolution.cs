namespace Dledger.Broker.Transactions;

/// <summary>What a producer says about its transaction. The numbers are those of the wire protocol.</summary>
public enum TransactionResolution
{
    /// <summary>It does not know yet: the transaction stays open.</summary>
    Unknown = 0,
    Commit = 1,
    Rollback = 2,
}
