namespace Dledger.Chaos.Checking.Invariants;

/// <summary>A message is not given to the group again before its lease can have ended, unless it was handed back; and a
/// handle of an older delivery has no effect while a newer one is leased.</summary>
/// <remarks>
/// Judged by the harness's clock: the lease began after the pop was invoked, and the next delivery was made before its answer
/// came, so every breach is certain. Answers that broke off do not count: the broker takes their leases back.
/// </remarks>
internal sealed class LeaseExclusive : IInvariant
{
    private const long Tolerance = 500_000_000;

    public string Id => "I12";

    public string Name => "lease exclusive";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var message in seen.Deliveries.GroupBy(delivery => delivery.Key).Where(group => group.Count() > 1))
        {
            var deliveries = message.OrderBy(delivery => delivery.Message.Attempt).ThenBy(delivery => delivery.End).ToList();
            for (var i = 1; i < deliveries.Count; i++)
            {
                var (before, after) = (deliveries[i - 1], deliveries[i]);
                if (before.IsWholeAnswer && after.End < before.VisibleFrom - Tolerance)
                {
                    yield return $"{after.Message.Id} was delivered to {after.Group} again "
                        + $"{(before.VisibleFrom - after.End) / 1_000_000} ms before its lease could have ended";
                }

                if (StaleEffect(before, after) is { } stale)
                {
                    yield return stale;
                }
            }
        }
    }

    /// <summary>An ack by the older handle that was accepted while the newer delivery was certainly still leased.</summary>
    private static string? StaleEffect(DeliveryRecord before, DeliveryRecord after) =>
        after.IsWholeAnswer && before.Receipts.Any(
            receipt => receipt is { IsAck: true, Phase: "ok" } && receipt.Begin > after.End && receipt.End < after.VisibleFrom
                && !after.Receipts.Any(newer => newer.IsAck && newer.Begin < receipt.End))
            ? $"{after.Message.Id} was acked for {after.Group} by the handle of attempt {before.Message.Attempt} while attempt "
                + $"{after.Message.Attempt} was leased"
            : null;
}
