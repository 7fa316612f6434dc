namespace Dledger.Broker.Timers;

/// <summary>What came of a change of pending messages.</summary>
/// <param name="Count">How many were changed; the others wait no more.</param>
/// <param name="Failure">Why nothing was tried, or nobody knows what came of it; null otherwise.</param>
public readonly record struct TimerChange(int Count, BrokerFailure? Failure = null)
{
    public static TimerChange Of(BrokerFailure failure) => new(0, failure);
}
