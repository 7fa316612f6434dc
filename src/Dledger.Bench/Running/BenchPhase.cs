namespace Dledger.Bench.Running;

/// <summary>Loads that run at the same time.</summary>
/// <param name="Name">For progress, such as <c>fill</c>.</param>
/// <param name="WarmUp">Runs before anything is counted.</param>
/// <param name="Duration">The most that is measured; loads may end earlier.</param>
/// <param name="Loads">At least one.</param>
public sealed record BenchPhase(string Name, TimeSpan WarmUp, TimeSpan Duration, IReadOnlyList<IBenchLoad> Loads);
