using Dledger.Broker.Quotas;

namespace Dledger.Broker.Naming;

/// <summary>The rules of a quota.</summary>
public static class QuotaRules
{
    /// <summary>Null when the rates may be stored.</summary>
    /// <param name="direction">What is limited, as the settings begin: produce or receive.</param>
    /// <param name="rates">As asked for.</param>
    public static Violation? Check(string direction, QuotaRates rates) =>
        Check($"{direction}_messages_per_second", rates.MessagesPerSecond)
        ?? Check($"{direction}_bytes_per_second", rates.BytesPerSecond);

    private static Violation? Check(string field, long rate) => rate is < 0 or > Limits.QuotaRateMax
        ? new Violation(
            BrokenRule.Quota, $"the field '{field}' is {rate}; 1 to {Limits.QuotaRateMax} are allowed, and 0 for no quota")
        : null;
}
