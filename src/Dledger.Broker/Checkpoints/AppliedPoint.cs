using Dledger.Primitives;

namespace Dledger.Broker.Checkpoints;

/// <summary>Up to where the state includes the log, and what names the frame that ends there.</summary>
internal readonly record struct AppliedPoint(LogPosition Position, Term Term, uint HeaderCrc);
