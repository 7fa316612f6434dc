namespace Dledger.Broker.Quotas;

/// <summary>The monotonic clock of this process, by which buckets are refilled: no jump of the wall clock is a gift. Any thread.</summary>
internal sealed class QuotaClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();

    /// <summary>Microseconds since the clock was made.</summary>
    public long Now => time.GetElapsedTime(_origin).Ticks / TimeSpan.TicksPerMicrosecond;
}
