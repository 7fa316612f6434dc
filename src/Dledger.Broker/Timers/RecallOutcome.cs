namespace Dledger.Broker.Timers;

/// <summary>What came of a recall.</summary>
/// <param name="MessageId">The message that will not be delivered; empty on failure.</param>
/// <param name="Failure">Null on success.</param>
public readonly record struct RecallOutcome(string MessageId, BrokerFailure? Failure)
{
    public static RecallOutcome Of(BrokerFailure failure) => new("", failure);
}
