namespace Dledger.Replication;

/// <summary>Why a node ended.</summary>
/// <param name="IsFault">True when it could not go on; the process should then exit with a non-zero code.</param>
/// <param name="Reason">A sentence for people.</param>
public sealed record ReplicationExit(bool IsFault, string Reason);
