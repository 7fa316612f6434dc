namespace Dledger.Chaos.Checking.Invariants;

/// <summary>The offsets of a queue are 0, 1, 2, ... without a gap, in every final read.</summary>
internal sealed class DenseOffsets : IInvariant
{
    public string Id => "I4";

    public string Name => "offsets";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var (source, log) in seen.Finals)
        {
            foreach (var queue in log.GroupBy(message => message.Queue))
            {
                var expected = 0L;
                foreach (var offset in queue.Select(message => message.Offset).Distinct().Order())
                {
                    if (offset != expected)
                    {
                        yield return $"{source.Topic} queue {queue.Key} ({source.Source}) has no offset {expected}; next is {offset}";
                        break;
                    }

                    expected++;
                }
            }
        }
    }
}
