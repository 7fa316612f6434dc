using Dledger.Raft;
using Dledger.Testing.Schedules;

namespace Dledger.Simulation.Scenarios;

/// <summary>What one run is made of: cluster, timings, load and the kinds of faults. Drawn from the seed; times in microseconds.</summary>
/// <remarks>Each seed draws which faults are on at all, also "almost none": swarms of such runs reach more than one full mixture.</remarks>
internal sealed record Scenario
{
    /// <summary>Voters of the first configuration: nodes 1 to n.</summary>
    public required int NodeCount { get; init; }

    /// <summary>Nodes without a part at first; at most 7 nodes in all.</summary>
    public required int SpareCount { get; init; }

    /// <summary>Shortest election timeout; the other timings follow from it.</summary>
    public required long ElectionTimeoutMin { get; init; }

    public required long FaultPhase { get; init; }

    public required long FaultInterval { get; init; }

    public required long ProposalInterval { get; init; }

    public required long Latency { get; init; }

    public required long SyncLatency { get; init; }

    /// <summary>Bytes of one append range; window and uncommitted cap are small multiples, so that both are met.</summary>
    public required int RangeBytesMax { get; init; }

    /// <summary>Relative error of the nodes' clocks, at most.</summary>
    public required double ClockError { get; init; }

    /// <summary>Messages are reordered, doubled, dropped and replayed from older connections.</summary>
    public required bool IsHostile { get; init; }

    public required bool HasCrashes { get; init; }

    public required bool HasPowerLoss { get; init; }

    public required bool HasPartitions { get; init; }

    public required bool HasPauses { get; init; }

    public required bool HasBrokenConnections { get; init; }

    public required bool HasDiskStalls { get; init; }

    public required bool HasTransfers { get; init; }

    public required bool HasResignations { get; init; }

    public required bool HasPassiveNode { get; init; }

    /// <summary>Members are added, promoted, removed and replaced.</summary>
    public required bool HasChanges { get; init; }

    /// <summary>Mean time between two requested changes.</summary>
    public required long ChangeInterval { get; init; }

    /// <summary>Nodes lose their disks and come back with new ones.</summary>
    public required bool HasWipes { get; init; }

    /// <summary>Nodes lose frames that they acknowledged, and know it.</summary>
    public required bool HasLosses { get; init; }

    /// <summary>Nodes are connected only to those with a part in their configuration, as the driver does it.</summary>
    public required bool ConnectsMembersOnly { get; init; }

    /// <summary>All frames have one length, so that frame ends of different terms meet at one position.</summary>
    public required bool HasUniformFrames { get; init; }

    /// <summary>Nodes that serve are asked to prove that they still lead.</summary>
    public required bool HasReads { get; init; }

    /// <summary>Only a bare majority comes back for the last phase.</summary>
    public required bool HealsBareMajority { get; init; }

    /// <summary>Leaders read what lies further from the end of their log before they send it.</summary>
    public required long MemoryBytes { get; init; }

    public SeededDefect Defect { get; init; }

    public long ElectionTimeoutMax => 2 * ElectionTimeoutMin;

    public static Scenario Draw(ulong seed, SeededDefect defect)
    {
        var random = new SimulationRandom(seed ^ 0x5DEECE66D);
        var timeout = random.Chance(0.2) ? 500_000 : random.Next(60_000, 200_000);
        int[] counts = [3, 3, 3, 3, 3, 5, 5, 5, 1, 2, 4];
        var count = counts[random.Next(counts.Length)];

        // Drawn from a source of their own, so that older seeds keep their scenarios.
        var members = new SimulationRandom(seed ^ 0x2545F4914F6CDD1D);
        var hasChanges = members.Chance(0.55);
        var hasWipes = members.Chance(0.3);
        var memory = new SimulationRandom(seed ^ 0x1B873593CC9E2D51);
        return new Scenario
        {
            NodeCount = count,
            SpareCount = hasChanges ? members.Next(1 + Math.Min(4, 7 - count)) : 0,
            HasChanges = hasChanges,
            ChangeInterval = members.NextLogarithmic(timeout / 10, timeout * 2),
            HasWipes = hasWipes,
            HasLosses = members.Chance(0.3),
            ConnectsMembersOnly = members.Chance(0.5),
            ElectionTimeoutMin = timeout,
            FaultPhase = timeout * random.Next(8, 25),
            FaultInterval = random.NextLogarithmic(timeout / 8, timeout * 4),
            ProposalInterval = random.NextLogarithmic(timeout / 200, timeout / 4),
            Latency = random.NextLogarithmic(50, timeout / 40),
            SyncLatency = random.NextLogarithmic(50, timeout / 20),
            RangeBytesMax = (int)random.NextLogarithmic(512, 1 << 20),
            ClockError = random.Chance(0.5) ? 0.0002 : 0.05,
            IsHostile = random.Chance(0.4),
            HasCrashes = random.Chance(0.7),
            HasPowerLoss = random.Chance(0.2),
            HasPartitions = random.Chance(0.6),
            HasPauses = random.Chance(0.3),
            HasBrokenConnections = random.Chance(0.5),
            HasDiskStalls = random.Chance(0.3),
            HasTransfers = random.Chance(0.3),
            HasResignations = random.Chance(0.3),
            HasPassiveNode = random.Chance(0.1),
            HasUniformFrames = random.Chance(0.4),
            HealsBareMajority = random.Chance(0.25),
            HasReads = new SimulationRandom(seed ^ 0x3C6EF372FE94F82B).Chance(0.3),
            MemoryBytes = memory.Chance(0.75) ? long.MaxValue : memory.NextLogarithmic(128, 1 << 16),
            Defect = defect,
        };
    }
}
