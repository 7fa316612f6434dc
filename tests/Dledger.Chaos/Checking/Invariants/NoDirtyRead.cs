namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Whatever was ever delivered is in the final log at the same place.</summary>
internal sealed class NoDirtyRead : IInvariant
{
    public string Id => "I7";

    public string Name => "no dirty read";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var log = seen.FinalLog.Select(message => (message.Queue, message.Offset, message.Id)).ToHashSet();
        return seen.Deliveries
            .Where(delivery => !log.Contains((delivery.Message.Queue, delivery.Message.Offset, delivery.Message.Id)))
            .Select(delivery => $"{delivery.Message.Id} was delivered to {delivery.Group} from queue {delivery.Message.Queue} "
                + $"offset {delivery.Message.Offset}, and is not there in the end")
            .Distinct();
    }
}
