namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Every operation ends by its deadline, and messages are acked again soon after a fault has ended.</summary>
internal sealed class Liveness : IInvariant
{
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
        foreach (var fault in seen.Faults.Where(fault => fault.Heal != long.MaxValue))
        {
            var at = acks.BinarySearch(fault.Heal);
            var next = at >= 0 ? at : ~at;
            if (next >= acks.Count)
            {
                yield return $"nothing was acked after {fault.Kind} was healed";
            }
            else if (acks[next] - fault.Heal > heal)
            {
                yield return $"after {fault.Kind} was healed the first ack took {(acks[next] - fault.Heal) / 1_000_000} ms";
            }
        }
    }
}
