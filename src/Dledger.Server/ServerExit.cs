namespace Dledger.Server;

/// <summary>How a node ended.</summary>
/// <param name="IsFault">It could not go on, for example after a failed sync; false: it was stopped.</param>
/// <param name="Reason">A sentence for the operator.</param>
public sealed record ServerExit(bool IsFault, string Reason);
