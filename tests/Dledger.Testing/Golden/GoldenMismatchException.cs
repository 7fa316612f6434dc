namespace Dledger.Testing.Golden;

/// <summary>Stored bytes are not what the golden file froze.</summary>
public sealed class GoldenMismatchException(string message) : Exception(message);
