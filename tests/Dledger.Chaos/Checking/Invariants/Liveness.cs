namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Every operation ends by its deadline, and messages are acked again soon after a fault has ended.</summary>
internal sealed class Liveness : IInvariant
{
    // Fewer say nothing of a kind of client.
    private const int AcksMin = 100;

    public string Id => "I21";

    public string Name => "liveness";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var (limit, heal) = (seen.Header.OperationLimit, seen.Header.HealLimit);
        foreach (var (end, begin) in seen.Operations.Where(operation => operation.End.Time - operation.Begin > limit))
        {
            yield return $"{end.Function} of {end.Worker} took {(end.Time - begin) / 1_000_000} ms";
        }

        foreach (var open in seen.Unended)
        {
            yield return $"{open.Function} of {open.Worker} never ended";
        }

        var acks = seen.Sends.Values.Where(send => send.IsAcked).Select(send => send.End).Order().ToList();
        var healed = seen.Faults.Where(fault => fault.Heal != long.MaxValue).ToList();
        foreach (var fault in healed)
        {
            if (FirstAfter(acks, fault.Heal) is not { } first)
            {
                yield return $"nothing was acked after {fault.Kind} was healed";
            }
            else if (first - fault.Heal > heal)
            {
                yield return $"after {fault.Kind} was healed the first ack took {(first - fault.Heal) / 1_000_000} ms";
            }
        }

        // Those who send in another way than the rest must not be the only ones for whom it goes on no more.
        var last = seen.Sends.Values.Select(send => send.Begin).DefaultIfEmpty().Max();
        foreach (var kind in seen.Sends.Values.Where(send => send.IsAcked).GroupBy(send => send.Worker[0], send => send.End))
        {
            var own = kind.Order().ToList();
            foreach (var fault in own.Count < AcksMin ? [] : healed.Where(fault => last - fault.Heal > heal))
            {
                if (!(FirstAfter(own, fault.Heal) - fault.Heal <= heal))
                {
                    yield return $"after {fault.Kind} was healed nothing of the clients '{kind.Key}' was acked for {heal / 1_000_000} ms";
                }
            }
        }
    }

    private static long? FirstAfter(List<long> sorted, long time)
    {
        var at = sorted.BinarySearch(time);
        var next = at >= 0 ? at : ~at;
        return next < sorted.Count ? sorted[next] : null;
    }
}
