namespace Dledger.Primitives;

/// <summary>A state that must not exist was reached. The process must stop.</summary>
public sealed class InvariantViolationException(string message) : Exception(message);
