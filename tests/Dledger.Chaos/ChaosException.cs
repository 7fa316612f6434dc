namespace Dledger.Chaos;

/// <summary>The run cannot go on; says what was tried and what came of it. Never a verdict on the nodes.</summary>
internal sealed class ChaosException(string message, Exception? inner = null) : Exception(message, inner);
