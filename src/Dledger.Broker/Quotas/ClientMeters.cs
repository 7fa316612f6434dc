namespace Dledger.Broker.Quotas;

/// <summary>The meters of clients. A bucket that is full again is as good as a new one, so idle clients are forgotten.</summary>
/// <remarks>
/// Bounded: clients beyond <see cref="CountMax"/> that are busy at the same time share one meter, so that nobody gets more by inventing
/// names. Its owner serializes.
/// </remarks>
internal sealed class ClientMeters(QuotaRates rates)
{
    /// <summary>A meter takes about 200 bytes.</summary>
    public const int CountMax = 50_000;

    private const long SweepInterval = 1_000_000;

    private readonly Dictionary<long, QuotaMeter> _meters = [];
    private readonly QuotaMeter _shared = new();
    private long _sweptAt = long.MinValue;

    public QuotaRates Rates => rates;

    public int Count => _meters.Count;

    /// <param name="clientHash">Who; see <see cref="Receiving.IdentityHash"/>.</param>
    /// <param name="now">For forgetting others.</param>
    public QuotaMeter Of(long clientHash, long now)
    {
        if (_meters.TryGetValue(clientHash, out var known))
        {
            return known;
        }

        if (_meters.Count >= CountMax && now - SweepInterval >= _sweptAt)
        {
            _sweptAt = now;
            foreach (var (hash, meter) in _meters)
            {
                if (meter.IsFull(rates, now))
                {
                    _meters.Remove(hash);
                }
            }
        }

        if (_meters.Count >= CountMax)
        {
            return _shared;
        }

        var added = new QuotaMeter();
        _meters.Add(clientHash, added);
        return added;
    }
}
