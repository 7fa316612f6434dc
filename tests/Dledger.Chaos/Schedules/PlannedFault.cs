using Dledger.Chaos.Faults;

namespace Dledger.Chaos.Schedules;

/// <summary>One fault of the schedule.</summary>
/// <param name="Kind">What.</param>
/// <param name="Seed">Randomness of its round: victims and amounts.</param>
/// <param name="Hold">From its start to its heal.</param>
/// <param name="Rest">From the cluster's recovery to the next fault.</param>
internal sealed record PlannedFault(FaultKind Kind, int Seed, TimeSpan Hold, TimeSpan Rest);
