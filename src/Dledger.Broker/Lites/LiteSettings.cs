namespace Dledger.Broker.Lites;

/// <summary>What can be changed about the lite topics of a parent.</summary>
/// <param name="ExpiryMicroseconds">For so long without a message one is kept at least.</param>
/// <param name="CountMax">Most at a time.</param>
public readonly record struct LiteSettings(long ExpiryMicroseconds, int CountMax)
{
    public static readonly LiteSettings Default = new((long)TimeSpan.FromDays(7).TotalMicroseconds, 10_000);

    public TimeSpan Expiry => TimeSpan.FromMicroseconds(ExpiryMicroseconds);
}
