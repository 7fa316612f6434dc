namespace Dledger.Chaos.Checking.Invariants;

/// <summary>The ends of the queues that the broker names in the end are those of what it serves.</summary>
internal sealed class Honesty : IInvariant
{
    public string Id => "I22";

    public string Name => "honesty";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var entry in seen.History.Entries.Where(entry => entry is { Function: "final", Event: "ends" }))
        {
            var log = seen.Finals.GetValueOrDefault((Observations.Served, entry.Topic!)) ?? [];
            foreach (var pair in entry.Offsets!)
            {
                var count = log.Where(message => message.Queue == pair[0]).Select(message => message.Offset).Distinct().Count();
                if (count != pair[1])
                {
                    yield return $"{entry.Topic} queue {pair[0]} was said to hold {pair[1]} messages and served {count}";
                }
            }
        }
    }
}
