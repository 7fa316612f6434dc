namespace Dledger.Chaos.Checking.Invariants;

/// <summary>A place in a queue holds one message, whoever reads it, whenever, on whatever node; and a message lies at no
/// more places than attempts may have stored it.</summary>
internal sealed class OneTruth : IInvariant
{
    public string Id => "I3";

    public string Name => "one truth";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var truth = new Dictionary<(string Topic, int Queue, long Offset), string>();
        var places = new Dictionary<string, HashSet<(int, long)>>(StringComparer.Ordinal);
        var reads = seen.Deliveries.Select(delivery => (delivery.Topic, delivery.Message))
            .Concat(seen.Reads.Select(read => (read.Topic, read.Message)))
            .Concat(seen.Finals.SelectMany(final => final.Value.Select(message => (final.Key.Topic, Message: message))));
        var breaches = new HashSet<string>();
        foreach (var (topic, message) in reads.Where(read => read.Message.IsWhole))
        {
            var place = (topic, message.Queue, message.Offset);
            if (!truth.TryAdd(place, message.Id) && truth[place] != message.Id)
            {
                breaches.Add($"{topic} queue {message.Queue} offset {message.Offset} is {truth[place]} and {message.Id}");
            }

            if (topic == seen.Header.Topic)
            {
                if (!places.TryGetValue(message.Id, out var own))
                {
                    places[message.Id] = own = [];
                }

                own.Add((message.Queue, message.Offset));
            }
        }

        foreach (var (id, own) in places)
        {
            if (seen.Sends.TryGetValue(id, out var send) && own.Count > Math.Max(1, send.OpenAttempts))
            {
                breaches.Add($"{id} lies at {own.Count} places after {send.OpenAttempts} attempts");
            }
        }

        return breaches;
    }
}
