using Dledger.Bench.Machines;
using Dledger.Bench.Targets;
using Dledger.Benchmarks.Comparisons;

namespace Dledger.Benchmarks.Tests;

/// <summary>Results of comparisons that never were.</summary>
internal static class Results
{
    public static ComparedSystem Dledger { get; } = System("dledger-v2-sync", "Dledger v2 QUORUM_SYNC", false, AckDurability.Synced);

    public static ComparedSystem Rabbit { get; } = System("rabbitmq", "RabbitMQ 3.10.8", true, AckDurability.Synced);

    public static ComparedSystem NatsAlways { get; } = System("nats-always", "NATS 2.11 sync always", true, AckDurability.Synced);

    public static ComparedSystem Nats { get; } = System("nats", "NATS 2.9.10", true, AckDurability.PageCache);

    public static ComparisonResult Of(IReadOnlyList<ComparedSystem> systems, IReadOnlyList<Measurement> measurements) => new()
    {
        Machine = new MachineDescription(
            new DateTimeOffset(2026, 12, 1, 8, 30, 0, TimeSpan.Zero), "0.1.0", "Linux 6.1", "A processor", 2, 4L << 30, "10.0.0"),
        Commit = "0123456789ab",
        Command = "make bench-peers",
        Rounds = 3,
        SecondsOfRow = 10,
        BodyBytes = 1024,
        Seconds = 1500,
        Systems = systems,
        Measurements = measurements,
        Absences = [],
        Syncs = [],
    };

    public static Measurement Run(string system, string row, int round, double messagesPerSecond) => new()
    {
        System = system,
        Row = row,
        Round = round,
        MessagesPerSecond = messagesPerSecond,
    };

    private static ComparedSystem System(string key, string title, bool isPeer, AckDurability durability) =>
        new(key, title, "1", isPeer, new AckPromise(durability, 2), $"stored as {title} does", "sent and not answered");
}
