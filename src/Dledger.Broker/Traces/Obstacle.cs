namespace Dledger.Broker.Traces;

/// <summary>What keeps a message that waits from being handed out.</summary>
/// <param name="State">A word for it.</param>
/// <param name="Sentence">The same for people, without a full stop.</param>
/// <param name="UntilMicroseconds">When it ends by itself; 0: it does not.</param>
internal readonly record struct Obstacle(TraceState State, string Sentence, long UntilMicroseconds = 0);
