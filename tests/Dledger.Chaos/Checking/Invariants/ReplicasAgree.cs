namespace Dledger.Chaos.Checking.Invariants;

/// <summary>All replicas hold the same messages, and the same frames byte for byte, as far as the shortest of them reaches;
/// and each holds what the brokers served.</summary>
internal sealed class ReplicasAgree : IInvariant
{
    public string Id => "I19";

    public string Name => "replicas agree";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var served = seen.FinalLog.DistinctBy(message => (message.Queue, message.Offset))
            .ToDictionary(message => (message.Queue, message.Offset), message => message.Id);
        foreach (var (source, log) in seen.Finals.Where(
            final => final.Key.Source != Observations.Served && final.Key.Topic == seen.Header.Topic))
        {
            if (log.FirstOrDefault(message => served.TryGetValue((message.Queue, message.Offset), out var id) && id != message.Id)
                is { } other)
            {
                yield return $"{source.Source} holds {other.Id} in queue {other.Queue} at {other.Offset}; "
                    + $"served was {served[(other.Queue, other.Offset)]}";
            }
        }

        var digests = seen.History.Entries.Where(entry => entry is { Function: "final", Event: "digest" })
            .SelectMany(entry => entry.Offsets!.Select(pair => (entry.Node, Position: pair[0], Sum: pair[1])))
            .GroupBy(digest => digest.Position);
        foreach (var position in digests)
        {
            if (position.Select(digest => digest.Sum).Distinct().Count() > 1)
            {
                yield return $"the frames up to {position.Key} differ: "
                    + string.Join(", ", position.Select(digest => $"node {digest.Node} {digest.Sum:x8}"));
                yield break;
            }
        }
    }
}
