using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>A configuration and where it lies in the log.</summary>
/// <param name="Position">Where its frame begins; 0 for the cluster's first configuration, which lies in no frame.</param>
/// <param name="Configuration">The configuration.</param>
public sealed record ConfigurationEntry(LogPosition Position, Configuration Configuration);
