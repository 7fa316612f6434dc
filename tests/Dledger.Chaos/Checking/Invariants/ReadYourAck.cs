namespace Dledger.Chaos.Checking.Invariants;

/// <summary>The end of a queue, asked for after an ack, lies behind the acked message.</summary>
internal sealed class ReadYourAck : IInvariant
{
    public string Id => "I10";

    public string Name => "read your ack";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var acks = seen.Sends.Values.Where(send => send.IsAcked)
            .Select(send => (send.End, Place: seen.FinalById[send.Id].FirstOrDefault(place => place.Offset == send.Offset)))
            .Where(ack => ack.Place is not null)
            .OrderBy(ack => ack.End)
            .ToList();
        var highest = new Dictionary<long, long>();
        var next = 0;
        foreach (var (end, begin) in seen.Operations
            .Where(operation => operation.End is { Function: "maxOffset", Phase: "ok", Offsets: not null })
            .OrderBy(operation => operation.Begin))
        {
            for (; next < acks.Count && acks[next].End < begin; next++)
            {
                var place = acks[next].Place!;
                highest[place.Queue] = Math.Max(highest.GetValueOrDefault(place.Queue, -1), place.Offset);
            }

            foreach (var pair in end.Offsets!.Where(pair => pair[1] <= highest.GetValueOrDefault(pair[0], -1)))
            {
                yield return $"queue {pair[0]} was said to end at {pair[1]} by node {end.Node} although "
                    + $"{highest[pair[0]]} had been acked";
            }
        }
    }
}
