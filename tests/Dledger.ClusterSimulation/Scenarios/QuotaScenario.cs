using Dledger.Broker.Quotas;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>
/// Whether a run has a topic and a group with quotas, and which. From a random stream of its own, so that runs without them stay what they
/// were.
/// </summary>
internal sealed record QuotaScenario
{
    private const ulong Stream = 0x0_0074_A11C_E1D5;
    private const ulong ClientStream = 0xC11E_0074_A11C_E1D5;

    public required QuotaRates Produce { get; init; }

    public required QuotaRates Receive { get; init; }

    /// <summary>
    /// What each client may send and be given, in half of these runs; high enough that the clients of other topics hardly notice.
    /// </summary>
    public QuotaRates Client { get; init; }

    /// <summary>Sends of each producer while faults are on.</summary>
    public required int SendCount { get; init; }

    public required int ProducerCount { get; init; }

    public required int ConsumerCount { get; init; }

    /// <summary>Most messages of one send.</summary>
    public required int BatchMax { get; init; }

    /// <summary>Where the clients of this workload take their draws from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Null for most seeds.</summary>
    public static QuotaScenario? Draw(ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        if (!random.Chance(0.34))
        {
            return null;
        }

        var client = DrawClient(seed);
        var produce = DrawRates(random);
        return new QuotaScenario
        {
            // Else the topic's quota would hold them before their own does.
            Produce = client.IsOn ? QuotaRates.None : produce,
            Client = client,
            Receive = random.Chance(0.3) ? QuotaRates.None : DrawRates(random),
            SendCount = (int)random.NextLogarithmic(10, 60),
            ProducerCount = 1 + random.Next(3),
            ConsumerCount = 1 + random.Next(3),
            BatchMax = 1 + random.Next(8),
            Seed = seed ^ (Stream << 1),
        };
    }

    // Drawn apart: the other runs with quotas are as they were before.
    private static QuotaRates DrawClient(ulong seed)
    {
        var random = new SimulationRandom(seed ^ ClientStream);
        return random.Chance(0.5) ? new QuotaRates(random.NextLogarithmic(40, 150), 0) : QuotaRates.None;
    }

    // So low that what is sent within a second is too much.
    private static QuotaRates DrawRates(SimulationRandom random) => random.Next(3) switch
    {
        0 => new QuotaRates(random.NextLogarithmic(10, 100), 0),
        1 => new QuotaRates(0, random.NextLogarithmic(3_000, 30_000)),
        _ => new QuotaRates(random.NextLogarithmic(10, 100), random.NextLogarithmic(3_000, 30_000)),
    };
}
