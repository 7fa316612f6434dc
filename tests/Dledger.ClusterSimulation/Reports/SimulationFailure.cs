namespace Dledger.ClusterSimulation.Reports;

/// <summary>An invariant does not hold in a run.</summary>
internal sealed class SimulationFailure(string invariant, string message) : Exception($"{invariant}: {message}")
{
    /// <summary>Its name, "crash" for an exception of the product, "endless" for a run that does not end.</summary>
    public string Invariant { get; } = invariant;
}
