using Dledger.Broker.Groups;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>
/// Whether a run has a group with rare settings, and which: at most once, exclusive, few messages in flight, pauses, messages with a time to
/// live. Each is drawn by itself, so that they meet. From a random stream of its own: runs without such a group stay what they were.
/// </summary>
internal sealed record ModeScenario
{
    private const ulong Stream = 0x6D0D_E5A7_0B57_1CE5;
    private const double Share = 0.5;

    public required bool IsOrdered { get; init; }

    public required int QueueCount { get; init; }

    /// <summary>What is sent while faults are on.</summary>
    public required int MessageCount { get; init; }

    public required int ConsumerCount { get; init; }

    public required bool IsAtMostOnce { get; init; }

    public required bool IsExclusive { get; init; }

    /// <summary>An exclusive group's holder that was silent for so long makes room, microseconds.</summary>
    public required long HolderSilence { get; init; }

    /// <summary>The first consumer falls silent for ever when the faults end.</summary>
    public required bool FallsSilent { get; init; }

    public required bool HasCaps { get; init; }

    public required int MaxInFlight { get; init; }

    public required int MaxInFlightPerClient { get; init; }

    public required bool HasPauses { get; init; }

    /// <summary>Half of the messages have a time to live.</summary>
    public required bool HasLifetimes { get; init; }

    public required ExpiryMode Expiry { get; init; }

    public required double AckShare { get; init; }

    /// <summary>Where the clients of this workload take their draws from.</summary>
    public required ulong Seed { get; init; }

    public GroupSettings Settings => new()
    {
        // Attempts without end: no dead letter takes a message away from the count, but those that lived too long.
        MaxAttempts = 10_000,
        AckMode = IsAtMostOnce ? AckMode.AtMostOnce : AckMode.AtLeastOnce,
        Exclusive = IsExclusive,
        MaxInFlight = HasCaps ? MaxInFlight : GroupSettings.Default.MaxInFlight,
        MaxInFlightPerClient = HasCaps ? MaxInFlightPerClient : GroupSettings.Default.MaxInFlightPerClient,
        Expiry = Expiry,
    };

    /// <summary>Null for half of the seeds.</summary>
    public static ModeScenario? Draw(ulong seed, long electionTimeout)
    {
        var random = new SimulationRandom(seed ^ Stream);
        if (!random.Chance(Share))
        {
            return null;
        }

        var isAtMostOnce = random.Chance(0.3);
        return new ModeScenario
        {
            IsOrdered = random.Chance(0.25),
            QueueCount = 1 + random.Next(2),
            MessageCount = (int)random.NextLogarithmic(10, 50),
            ConsumerCount = 2 + random.Next(2),
            IsAtMostOnce = isAtMostOnce,
            IsExclusive = random.Chance(0.5),
            HolderSilence = 8 * electionTimeout,
            FallsSilent = random.Chance(0.4),
            HasCaps = random.Chance(0.6) && !isAtMostOnce,
            MaxInFlight = 2 + random.Next(5),
            MaxInFlightPerClient = 1 + random.Next(4),
            HasPauses = random.Chance(0.5),
            HasLifetimes = random.Chance(0.5),

            // What is finished when it is handed out does not move to the dead letters.
            Expiry = random.Chance(0.4) && !isAtMostOnce ? ExpiryMode.DeadLetter : ExpiryMode.Drop,
            AckShare = random.Chance(0.3) ? 0.4 : 0.8,
            Seed = seed ^ Stream ^ 0x77,
        };
    }
}
