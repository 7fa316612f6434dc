namespace Dledger.Broker.Transactions;

/// <summary>Who ended a transaction. Persisted: the numbers never change.</summary>
public enum TransactionDecider : byte
{
    /// <summary>The broker's own rule.</summary>
    Rule = 0,

    /// <summary>A producer, by EndTransaction.</summary>
    Producer = 1,

    /// <summary>The topic's webhook.</summary>
    Webhook = 2,

    /// <summary>An operator.</summary>
    Operator = 3,
}
