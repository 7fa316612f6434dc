using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Whatever is read was sent, was not refused, and has the bytes that were sent.</summary>
internal sealed class NoPhantom : IInvariant
{
    public string Id => "I2";

    public string Name => "no phantom";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var reads = seen.Deliveries.Select(delivery => (From: delivery.Group, delivery.Message))
            .Concat(seen.Reads.Select(read => (From: read.Reader, read.Message)))
            .Concat(seen.Finals.SelectMany(final => final.Value.Select(message => (From: final.Key.Source, Message: message))));
        return reads.Select(read => Breach(seen, read.From, read.Message)).OfType<string>().Distinct();
    }

    private static string? Breach(Observations seen, string from, Delivery message)
    {
        if (!message.IsWhole)
        {
            return $"queue {message.Queue} offset {message.Offset} ('{message.Id}', {from}) has wrong bytes";
        }

        return !seen.Sends.TryGetValue(message.Id, out var send)
            ? $"{message.Id} ({from}) was never sent"
            : send.Phase == "fail" ? $"{message.Id} ({from}) was refused and is there all the same" : null;
    }
}
