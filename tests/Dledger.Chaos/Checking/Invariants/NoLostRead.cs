namespace Dledger.Chaos.Checking.Invariants;

/// <summary>A group has been given every message below the highest one that it was given; who reads a queue without a group is given
/// each message of it once, in order.</summary>
internal sealed class NoLostRead : IInvariant
{
    public string Id => "I9";

    public string Name => "no lost read";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var queue in seen.Deliveries.GroupBy(delivery => (delivery.Group, delivery.Topic, delivery.Message.Queue)))
        {
            var given = queue.Select(delivery => delivery.Message.Offset).ToHashSet();
            var highest = given.Max();
            if (given.Count != highest + 1)
            {
                var first = Enumerable.Range(0, (int)highest).First(offset => !given.Contains(offset));
                yield return $"{queue.Key.Group} was given offset {highest} of queue {queue.Key.Queue}, but not "
                    + $"{highest + 1 - given.Count} below it, the first being {first}";
            }
        }

        foreach (var queue in seen.Reads.GroupBy(read => (read.Reader, read.Topic, read.Message.Queue)))
        {
            var expected = 0L;
            if (queue.FirstOrDefault(read => read.Message.Offset != expected++) is { Message: { } other })
            {
                yield return $"{queue.Key.Reader} was given offset {other.Offset} of queue {queue.Key.Queue} where {expected - 1} comes next";
            }
        }
    }
}
