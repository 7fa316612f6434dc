namespace Dledger.Broker.Receipts;

/// <summary>What became of a change of the invisible duration.</summary>
/// <param name="Failure">Null on success.</param>
/// <param name="ReceiptHandle">
/// The handle to use from now on; the old one stays valid as long. On failure the old one.
/// </param>
public readonly record struct ChangeInvisibleOutcome(BrokerFailure? Failure, string ReceiptHandle)
{
    public bool Succeeded => Failure is null;
}
