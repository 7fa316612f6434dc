namespace Dledger.Broker.Idempotence;

/// <summary>What a producer that numbers its messages is, or why there is none.</summary>
public readonly record struct InitProducerOutcome(BrokerFailure? Failure)
{
    internal InitProducerOutcome(long producerId, int epoch)
        : this((BrokerFailure?)null)
    {
        ProducerId = producerId;
        Epoch = epoch;
    }

    /// <summary>Never used twice; 0 on failure.</summary>
    public long ProducerId { get; }

    /// <summary>From 0 on.</summary>
    public int Epoch { get; }
}
