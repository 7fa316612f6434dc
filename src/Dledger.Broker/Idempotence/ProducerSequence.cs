namespace Dledger.Broker.Idempotence;

/// <summary>Which place a batch has among those that one producer sends to one topic.</summary>
/// <param name="ProducerId">As InitProducer answered it; not 0.</param>
/// <param name="Epoch">The same.</param>
/// <param name="First">The number of the first message, from 1 on; each next one has the next number.</param>
public readonly record struct ProducerSequence(long ProducerId, int Epoch, int First);
