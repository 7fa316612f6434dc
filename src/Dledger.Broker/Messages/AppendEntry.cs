namespace Dledger.Broker.Messages;

/// <summary>What became of one message of a batch.</summary>
/// <param name="Message">Where it lies; nothing when it was refused.</param>
/// <param name="Failure">Null when it is stored.</param>
public readonly record struct AppendEntry(AppendedMessage Message, BrokerFailure? Failure = null);
