namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Nothing is delivered to a group that asked for it after its ack was answered OK.</summary>
internal sealed class AckedStaysAcked : IInvariant
{
    public string Id => "I11";

    public string Name => "acked stays acked";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var message in seen.Deliveries.GroupBy(delivery => delivery.Key))
        {
            var acked = message.SelectMany(delivery => delivery.Receipts)
                .Where(receipt => receipt is { IsAck: true, Phase: "ok" })
                .Select(receipt => receipt.End)
                .DefaultIfEmpty(long.MaxValue)
                .Min();
            foreach (var delivery in message.Where(delivery => delivery.Begin > acked))
            {
                yield return $"{delivery.Message.Id} was delivered to {delivery.Group} (attempt {delivery.Message.Attempt}) "
                    + $"{(delivery.Begin - acked) / 1_000_000} ms after its ack";
            }
        }
    }
}
