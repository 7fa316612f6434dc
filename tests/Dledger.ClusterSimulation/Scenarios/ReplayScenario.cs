using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>
/// Whether a run has a group that gets messages again. From a random stream of its own, so that runs without it stay what they were.
/// </summary>
internal sealed record ReplayScenario
{
    private const ulong Stream = 0x5E1E_C7ED_0A6A_1200;
    private const double Share = 0.35;

    public required int QueueCount { get; init; }

    /// <summary>What is sent while faults are on.</summary>
    public required int MessageCount { get; init; }

    public required bool IsOrdered { get; init; }

    public required double AckShare { get; init; }

    /// <summary>Where the clients of this workload take their draws from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Null for most seeds.</summary>
    public static ReplayScenario? Draw(ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        return random.Chance(Share)
            ? new ReplayScenario
            {
                QueueCount = 1 + random.Next(2),
                MessageCount = (int)random.NextLogarithmic(10, 80),
                IsOrdered = random.Chance(0.4),
                AckShare = random.Chance(0.3) ? 0.5 : 0.85,
                Seed = seed ^ Stream ^ 0x55,
            }
            : null;
    }
}
