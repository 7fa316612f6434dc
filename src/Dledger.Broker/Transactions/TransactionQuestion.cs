namespace Dledger.Broker.Transactions;

/// <summary>A transaction whose producers are to be asked now.</summary>
/// <param name="Id">Its number in this cluster.</param>
/// <param name="TopicId">The topic.</param>
/// <param name="Topic">The topic's name.</param>
/// <param name="Check">Number of the check, from 1 on.</param>
public readonly record struct TransactionQuestion(long Id, int TopicId, string Topic, int Check);
