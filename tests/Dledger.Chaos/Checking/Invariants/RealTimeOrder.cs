namespace Dledger.Chaos.Checking.Invariants;

/// <summary>If A was acked before B was sent to the same queue, A has the lower offset.</summary>
/// <remarks>From the highest offset down: the earliest ack above an offset must not lie before the send at it.</remarks>
internal sealed class RealTimeOrder : IInvariant
{
    public string Id => "I5";

    public string Name => "order";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var queues = seen.Sends.Values.Where(send => send.IsAcked)
            .Select(send => (Send: send, Place: seen.FinalById[send.Id].FirstOrDefault(place => place.Offset == send.Offset)))
            .Where(pair => pair.Place is not null)
            .GroupBy(pair => pair.Place!.Queue, pair => pair.Send);
        foreach (var queue in queues)
        {
            SendRecord? earliest = null;
            foreach (var send in queue.OrderByDescending(send => send.Offset))
            {
                if (earliest is not null && earliest.End < send.Begin)
                {
                    yield return $"queue {queue.Key}: {earliest.Id} (offset {earliest.Offset}) was acked before {send.Id} "
                        + $"(offset {send.Offset}) was sent";
                }

                earliest = earliest is null || send.End < earliest.End ? send : earliest;
            }
        }
    }
}
