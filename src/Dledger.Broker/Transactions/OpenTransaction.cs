namespace Dledger.Broker.Transactions;

/// <summary>An open transaction as the apply loop saw it; immutable, any thread.</summary>
internal sealed record OpenTransaction(long Id, int TopicId, int QueueId, IReadOnlyList<HalfPart> Parts)
{
    public static OpenTransaction Of(HalfTransaction half) => new(half.Id, half.TopicId, half.QueueId, [.. half.Parts]);
}
