namespace Dledger.Broker.Quotas;

/// <summary>The two buckets of whom a quota is for. Its owner serializes.</summary>
internal sealed class QuotaMeter
{
    private readonly TokenBucket _messages = new();
    private readonly TokenBucket _bytes = new();

    /// <summary>Microseconds until this much may pass, and whether it is the bytes that it waits for; 0: now.</summary>
    public (long Wait, bool IsBytes) WaitFor(QuotaRates rates, long messages, long bytes, long now)
    {
        var ofMessages = rates.MessagesPerSecond > 0 ? _messages.WaitFor(rates.MessagesPerSecond, messages, now) : 0;
        var ofBytes = rates.BytesPerSecond > 0 ? _bytes.WaitFor(rates.BytesPerSecond, bytes, now) : 0;
        return ofBytes > ofMessages ? (ofBytes, true) : (ofMessages, false);
    }

    /// <summary>How much may pass at once.</summary>
    public QuotaRoom Room(QuotaRates rates, long now)
    {
        var messages = rates.MessagesPerSecond > 0 ? _messages.Count(rates.MessagesPerSecond, now) : long.MaxValue;
        return rates.BytesPerSecond == 0
            ? new QuotaRoom(messages, long.MaxValue, TakesAny: true)
            : new QuotaRoom(
                messages, _bytes.Count(rates.BytesPerSecond, now), _bytes.IsFull(rates.BytesPerSecond, now));
    }

    /// <summary>Whether it is as a new one, so that it can be forgotten.</summary>
    public bool IsFull(QuotaRates rates, long now) =>
        (rates.MessagesPerSecond == 0 || _messages.IsFull(rates.MessagesPerSecond, now))
        && (rates.BytesPerSecond == 0 || _bytes.IsFull(rates.BytesPerSecond, now));

    /// <summary>So much passed. What has no rate is not counted.</summary>
    public void Take(QuotaRates rates, long messages, long bytes)
    {
        _messages.Take(rates.MessagesPerSecond > 0 ? messages : 0);
        _bytes.Take(rates.BytesPerSecond > 0 ? bytes : 0);
    }

    /// <summary>What was taken did not pass after all.</summary>
    public void GiveBack(QuotaRates rates, long messages, long bytes) => Take(rates, -messages, -bytes);
}

/// <summary>What may be handed out at once.</summary>
/// <param name="Messages">Most messages.</param>
/// <param name="Bytes">Most bytes of their records.</param>
/// <param name="TakesAny">A first message passes even if it is larger than <paramref name="Bytes"/>.</param>
internal readonly record struct QuotaRoom(long Messages, long Bytes, bool TakesAny)
{
    public static readonly QuotaRoom Unbounded = new(long.MaxValue, long.MaxValue, TakesAny: true);

    /// <summary>Whether anything may pass at all.</summary>
    public bool IsOpen => Messages > 0 && (Bytes > 0 || TakesAny);

    public static QuotaRoom Smaller(QuotaRoom left, QuotaRoom right) => new(
        Math.Min(left.Messages, right.Messages), Math.Min(left.Bytes, right.Bytes), left.TakesAny && right.TakesAny);
}
