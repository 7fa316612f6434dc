namespace Dledger.Broker.Transactions;

/// <summary>Asks producers what shall become of their messages: the front end's part of a check.</summary>
public interface ITransactionChecker
{
    /// <summary>
    /// The leader wants to know. Called on the apply loop: must not block, and may forget a question, for it is asked again.
    /// </summary>
    void Ask(TransactionQuestion question);
}
