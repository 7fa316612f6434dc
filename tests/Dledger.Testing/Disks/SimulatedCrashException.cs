namespace Dledger.Testing.Disks;

/// <summary>The simulated machine stopped at this disk call. Nothing after it happened.</summary>
public sealed class SimulatedCrashException(string call) : Exception($"simulated crash at {call}");
