using System.Globalization;

namespace Dledger.Broker.Quotas;

/// <summary>What is said to whom has used up a quota: which one, its rate, and when to try again.</summary>
internal static class QuotaRefusal
{
    /// <param name="owner">The beginning of the sentence, up to the rate.</param>
    /// <param name="rates">The quota.</param>
    /// <param name="isBytes">Which of its two rates.</param>
    /// <param name="wait">Microseconds until it may pass.</param>
    /// <param name="effect">What did not happen.</param>
    public static BrokerFailure Of(string owner, QuotaRates rates, bool isBytes, long wait, string effect)
    {
        var milliseconds = Math.Max(1, (wait + 999) / 1_000);
        var rate = isBytes ? rates.BytesPerSecond : rates.MessagesPerSecond;
        return new BrokerFailure(
            BrokerError.QuotaExceeded,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{owner} at most {rate} {(isBytes ? "bytes" : "messages")} per second, which are used up; {effect}; "
                    + $"retry in {milliseconds} ms"))
        {
            RetryAfter = TimeSpan.FromMilliseconds(milliseconds),
        };
    }
}
