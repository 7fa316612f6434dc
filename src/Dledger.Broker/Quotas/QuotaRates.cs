namespace Dledger.Broker.Quotas;

/// <summary>How much may pass in a second, steadily; 0: no bound. Bytes are those of records: bodies with all their properties.</summary>
public readonly record struct QuotaRates(long MessagesPerSecond, long BytesPerSecond)
{
    /// <summary>No quota.</summary>
    public static readonly QuotaRates None;

    public bool IsOn => MessagesPerSecond > 0 || BytesPerSecond > 0;
}
