namespace Dledger.Broker.Quotas;

/// <summary>One rate: a bucket that holds the tokens of one second and is refilled steadily. Full at first. Its owner serializes.</summary>
/// <remarks>
/// <para>
/// Something larger than the bucket passes when the bucket is full, and leaves a debt: no legal request is impossible, however small the
/// rate. So in any time t at most max(one second's worth, the largest request) + rate * t passes.
/// </para>
/// <para>
/// Tokens are counted in millionths, so that a rate per second times microseconds is exact. The rate comes with each call: it may change
/// at any time. -(largest cost) &lt;= tokens &lt;= one second's worth.
/// </para>
/// </remarks>
internal sealed class TokenBucket
{
    private const long Scale = 1_000_000;

    // Cut to one second's worth with the first look, when the rate is known.
    private long _tokens = long.MaxValue / 2;
    private long _at;

    /// <summary>Whole tokens that are there; 0 in debt.</summary>
    public long Count(long rate, long now)
    {
        Refill(rate, now);
        return Math.Max(0, _tokens / Scale);
    }

    /// <summary>Microseconds until something of this cost may pass; 0: now.</summary>
    public long WaitFor(long rate, long cost, long now)
    {
        Refill(rate, now);
        var missing = (Math.Min(cost, rate) * Scale) - _tokens;
        return missing <= 0 ? 0 : ((missing - 1) / rate) + 1;
    }

    /// <summary>Whether it is as a new one.</summary>
    public bool IsFull(long rate, long now)
    {
        Refill(rate, now);
        return _tokens == rate * Scale;
    }

    /// <summary>Something passed.</summary>
    public void Take(long cost) => _tokens -= cost * Scale;

    /// <summary>It did not pass after all.</summary>
    public void GiveBack(long cost) => _tokens += cost * Scale;

    private void Refill(long rate, long now)
    {
        var full = rate * Scale;
        var elapsed = now - _at;
        _at = now;
        if (_tokens >= full)
        {
            _tokens = full;
            return;
        }

        var missing = full - _tokens;
        _tokens = elapsed > missing / rate ? full : Math.Min(full, _tokens + (elapsed * rate));
    }
}
