using Dledger.Broker.Groups;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>
/// Whether a run has message groups at all, and which. From a random stream of its own, so that runs without them stay what they were.
/// </summary>
internal sealed record OrderScenario
{
    private const ulong Stream = 0x0F1F_0000_51DE_C0DE;
    private const double Share = 0.35;

    public required int QueueCount { get; init; }

    /// <summary>Some share a queue.</summary>
    public required int MessageGroupCount { get; init; }

    /// <summary>What each message group is sent while faults are on.</summary>
    public required int MessageCount { get; init; }

    public required int ConsumerCount { get; init; }

    public required int AttemptsMax { get; init; }

    public required PoisonMode Poison { get; init; }

    public required bool BackoffOnExpiry { get; init; }

    public required double AckShare { get; init; }

    /// <summary>Where the clients of this workload take their draws from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Null for most seeds.</summary>
    public static OrderScenario? Draw(ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        if (!random.Chance(Share))
        {
            return null;
        }

        return new OrderScenario
        {
            QueueCount = 1 + random.Next(2),
            MessageGroupCount = 2 + random.Next(5),
            MessageCount = (int)random.NextLogarithmic(8, 40),
            ConsumerCount = 2 + random.Next(2),
            AttemptsMax = 1 + random.Next(3),
            Poison = random.Pick([PoisonMode.DeadLetter, PoisonMode.Block, PoisonMode.Park, PoisonMode.Park]),
            BackoffOnExpiry = random.Chance(0.3),
            AckShare = random.Chance(0.3) ? 0.4 : 0.8,
            Seed = seed ^ Stream ^ 0x77,
        };
    }
}
