using Dledger.Client.Streaming;

namespace Dledger.Chaos.Features;

/// <summary>What the consumers of streams of one group were given and acknowledged. Safe for any thread.</summary>
/// <remarks>
/// Streams deliver ahead, so nothing here goes by time: an attempt is given once, and once an ack was confirmed there is no attempt behind
/// those whose ack was asked for.
/// </remarks>
internal sealed class SpanTally(FeatureRound round)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<MessagePlace, Passes> _passes = [];

    /// <summary>All that was given to anybody.</summary>
    public IReadOnlyCollection<MessagePlace> Places
    {
        get
        {
            lock (_lock)
            {
                return [.. _passes.Keys];
            }
        }
    }

    public void Delivered(in StreamedMessage message)
    {
        lock (_lock)
        {
            var passes = Of(message);
            round.Check(passes.Attempts.Add(message.Attempt), $"{PlaceOf(message)} was given twice as attempt {message.Attempt}");
        }
    }

    /// <summary>An ack is on its way.</summary>
    public void AckInvoked(in StreamedMessage message)
    {
        lock (_lock)
        {
            var passes = Of(message);
            passes.LastAsked = Math.Max(passes.LastAsked, message.Attempt);
        }
    }

    /// <summary>An ack was confirmed.</summary>
    public void Acked(in StreamedMessage message)
    {
        lock (_lock)
        {
            Of(message).IsAcked = true;
        }
    }

    /// <summary>Looks at all of it when nothing comes any more.</summary>
    public void Check()
    {
        lock (_lock)
        {
            foreach (var (place, passes) in _passes)
            {
                round.Check(
                    !passes.IsAcked || passes.Attempts.Max() <= passes.LastAsked,
                    $"{place} was given as attempt {passes.Attempts.Max()} although attempt {passes.LastAsked} was acknowledged");
            }
        }
    }

    private static MessagePlace PlaceOf(in StreamedMessage message) => new(message.QueueId, message.Offset);

    private Passes Of(in StreamedMessage message)
    {
        var place = PlaceOf(message);
        if (!_passes.TryGetValue(place, out var passes))
        {
            _passes.Add(place, passes = new Passes());
        }

        return passes;
    }

    private sealed class Passes
    {
        public HashSet<int> Attempts { get; } = [];

        /// <summary>The last attempt whose ack was asked for.</summary>
        public int LastAsked { get; set; }

        public bool IsAcked { get; set; }
    }
}
