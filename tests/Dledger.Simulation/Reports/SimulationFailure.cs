namespace Dledger.Simulation.Reports;

/// <summary>An invariant does not hold in a run.</summary>
internal sealed class SimulationFailure(string invariant, string message) : Exception($"{invariant}: {message}")
{
    /// <summary>Name of the invariant, or "core" when the core noticed by itself.</summary>
    public string Invariant { get; } = invariant;
}
