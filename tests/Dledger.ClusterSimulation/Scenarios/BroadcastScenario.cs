using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>
/// Whether a run has a broadcast group. From a random stream of its own, so that runs without it stay what they were.
/// </summary>
internal sealed record BroadcastScenario
{
    private const ulong Stream = 0xB40A_DCA5_7E4E_4B3A;
    private const double Share = 0.35;

    public required int QueueCount { get; init; }

    /// <summary>What is sent while faults are on.</summary>
    public required int MessageCount { get; init; }

    /// <summary>Clients at a time; some leave, and others come in their place.</summary>
    public required int ClientCount { get; init; }

    public required bool IsOrdered { get; init; }

    public required double AckShare { get; init; }

    /// <summary>Where the clients of this workload take their draws from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Null for most seeds.</summary>
    public static BroadcastScenario? Draw(ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        return random.Chance(Share)
            ? new BroadcastScenario
            {
                QueueCount = 1 + random.Next(2),
                MessageCount = (int)random.NextLogarithmic(10, 60),
                ClientCount = 2 + random.Next(2),
                IsOrdered = random.Chance(0.3),
                AckShare = random.Chance(0.3) ? 0.5 : 0.85,
                Seed = seed ^ Stream ^ 0x33,
            }
            : null;
    }
}
