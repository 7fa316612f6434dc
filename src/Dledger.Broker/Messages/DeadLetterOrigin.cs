namespace Dledger.Broker.Messages;

/// <summary>Where a dead letter came from.</summary>
public readonly record struct DeadLetterOrigin(string Topic, string MessageId);
