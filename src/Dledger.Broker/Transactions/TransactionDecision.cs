namespace Dledger.Broker.Transactions;

/// <summary>How a transaction ended. Persisted: the numbers never change.</summary>
public enum TransactionDecision : byte
{
    /// <summary>It is open.</summary>
    None = 0,

    /// <summary>Its messages joined their queue.</summary>
    Committed = 1,

    /// <summary>Somebody wanted it gone.</summary>
    RolledBack = 2,

    /// <summary>Nobody decided, however often the producers were asked.</summary>
    ChecksUsedUp = 3,

    /// <summary>The log was given up before anybody decided.</summary>
    Forgotten = 4,
}
