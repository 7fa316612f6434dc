namespace Dledger.Client.Administration;

/// <summary>A producer that numbers its messages.</summary>
/// <param name="ProducerId">Never used twice.</param>
/// <param name="Name">Empty when it has none.</param>
/// <param name="Epoch">Rises each time somebody takes the name.</param>
/// <param name="UsedAt">When it last sent, by the time of the log.</param>
/// <param name="Topics">How far it has come, by name of the topic.</param>
public sealed record ProducerDescription(
    long ProducerId, string Name, int Epoch, DateTimeOffset UsedAt, IReadOnlyList<ProducerProgress> Topics);

/// <summary>How far a producer has come in a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="LastSequence">Number of its newest message there.</param>
public sealed record ProducerProgress(string Topic, int LastSequence);
