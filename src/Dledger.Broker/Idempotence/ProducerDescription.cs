namespace Dledger.Broker.Idempotence;

/// <summary>A producer that numbers its messages, at one moment.</summary>
/// <param name="ProducerId">Never used twice.</param>
/// <param name="Name">Empty when it has none.</param>
/// <param name="Epoch">How often it was initialised again.</param>
/// <param name="UsedAtMicroseconds">Log time of its newest record, microseconds since 1970 (UTC).</param>
/// <param name="Topics">How far it has come, by name of the topic.</param>
public sealed record ProducerDescription(
    long ProducerId, string Name, int Epoch, long UsedAtMicroseconds, IReadOnlyList<ProducerProgress> Topics);

/// <summary>How far a producer has come in a topic: the number of its newest message.</summary>
public readonly record struct ProducerProgress(string Topic, int LastSequence);
