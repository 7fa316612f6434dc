namespace Dledger.Bench.Running;

/// <summary>A phase that runs at the moment.</summary>
/// <param name="Phase">It.</param>
/// <param name="Window">When it is measured.</param>
public sealed record PhaseUnderWay(BenchPhase Phase, LoadWindow Window);
