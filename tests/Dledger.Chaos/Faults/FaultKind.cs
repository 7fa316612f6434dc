namespace Dledger.Chaos.Faults;

/// <summary>A fault that the run can inject.</summary>
/// <param name="Name">How it is asked for and reported, such as <c>kill-leader</c>.</param>
/// <param name="Code">Its number in the fault catalogue, F1..F28.</param>
/// <param name="Needs">What it needs of the machine.</param>
/// <param name="HoldMin">Shortest time between start and heal.</param>
/// <param name="HoldMax">Longest.</param>
/// <param name="Create">Makes one injection.</param>
internal sealed record FaultKind(
    string Name, string Code, FaultNeeds Needs, TimeSpan HoldMin, TimeSpan HoldMax, Func<IFault> Create)
{
    /// <summary>It takes the leadership away from somebody.</summary>
    public bool MovesLeader { get; init; }

    /// <summary>It drops unsynced writes of a majority, which QUORUM_ASYNC does not promise to survive.</summary>
    public bool CutsMajorityPower { get; init; }

    /// <summary>It moves wall clocks, and with them the log's time, by which leases end.</summary>
    public bool MovesClocks { get; init; }

    /// <summary>Part of the mix when no kinds are named.</summary>
    public bool IsInMix { get; init; } = true;
}
