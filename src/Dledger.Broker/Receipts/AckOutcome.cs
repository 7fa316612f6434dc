namespace Dledger.Broker.Receipts;

/// <summary>What became of one receipt handle of an acknowledgement.</summary>
/// <param name="Failure">Null: the message is finished for the group (also when it was before).</param>
public readonly record struct AckOutcome(BrokerFailure? Failure)
{
    public bool Succeeded => Failure is null;
}
