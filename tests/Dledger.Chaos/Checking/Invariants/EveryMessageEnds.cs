namespace Dledger.Chaos.Checking.Invariants;

/// <summary>In the end every message is acked by every group or a dead letter of it, no attempt number was given twice, and
/// none lies above the limit of the group.</summary>
internal sealed class EveryMessageEnds : IInvariant
{
    public string Id => "I13";

    public string Name => "every message ends";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var (group, attemptsMax) in seen.Header.Groups)
        {
            var deliveries = seen.Deliveries.Where(delivery => delivery.Group == group).ToLookup(
                delivery => (delivery.Message.Queue, delivery.Message.Offset));
            var dead = (seen.Finals.GetValueOrDefault((Observations.Served, $"%DLQ%{group}")) ?? [])
                .Select(message => message.Id).ToHashSet();
            foreach (var message in seen.FinalLog)
            {
                var own = deliveries[(message.Queue, message.Offset)].ToList();
                var isAcked = own.SelectMany(delivery => delivery.Receipts)
                    .Any(receipt => receipt is { IsAck: true, Phase: not "fail" });
                if (!isAcked && !dead.Contains(message.Id))
                {
                    yield return $"{message.Id} is neither acked by {group} nor a dead letter after {own.Count} deliveries";
                }

                var attempts = own.Where(delivery => delivery.IsWholeAnswer).Select(delivery => delivery.Message.Attempt).ToList();
                if (attempts.Distinct().Count() != attempts.Count)
                {
                    yield return $"{message.Id} was delivered to {group} with the attempts {string.Join(", ", attempts)}";
                }

                if (attempts.Count > 0 && attempts.Max() > attemptsMax)
                {
                    yield return $"{message.Id} was delivered to {group} {attempts.Max()} times; the limit is {attemptsMax}";
                }
            }
        }
    }
}
