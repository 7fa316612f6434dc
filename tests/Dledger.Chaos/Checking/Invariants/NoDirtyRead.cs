namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Whatever was ever delivered is in the final log at the same place.</summary>
internal sealed class NoDirtyRead : IInvariant
{
    public string Id => "I7";

    public string Name => "no dirty read";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var log = seen.FinalLog.Select(message => (message.Queue, message.Offset, message.Id)).ToHashSet();
        return seen.Deliveries.Select(delivery => (From: delivery.Group, delivery.Message))
            .Concat(seen.Reads.Select(read => (From: read.Reader, read.Message)))
            .Where(read => !log.Contains((read.Message.Queue, read.Message.Offset, read.Message.Id)))
            .Select(read => $"{read.Message.Id} was delivered to {read.From} from queue {read.Message.Queue} "
                + $"offset {read.Message.Offset}, and is not there in the end")
            .Distinct();
    }
}
