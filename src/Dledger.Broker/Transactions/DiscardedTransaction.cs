namespace Dledger.Broker.Transactions;

/// <summary>A transaction whose messages will never be visible, kept to be looked at. Replicated state, immutable.</summary>
internal sealed record DiscardedTransaction(
    long Id,
    int TopicId,
    int QueueId,
    string MessageId,
    long StoredAt,
    int Checks,
    IReadOnlyList<HalfPart> Parts,
    TransactionDecision Decision,
    TransactionDecider Decider,
    long DecidedAt)
{
    public static DiscardedTransaction Of(
        HalfTransaction half, TransactionDecision decision, TransactionDecider decider, long logTime) =>
        new(
            half.Id,
            half.TopicId,
            half.QueueId,
            half.MessageId,
            half.StoredAt,
            half.Checks,
            [.. half.Parts],
            decision,
            decider,
            logTime);
}
