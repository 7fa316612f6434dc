using Dledger.Chaos.Faults;

namespace Dledger.Chaos;

/// <summary>What a run does. Immutable; together with the seed it fixes the schedule.</summary>
internal sealed record ChaosOptions
{
    /// <summary>Fixes kinds, order, victims, durations and the workers' choices.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How long faults are injected; the end comes after it. Ignored with <see cref="Rounds"/>.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Number of faults, one after the other; 0: as many as the duration holds.</summary>
    public int Rounds { get; init; }

    /// <summary>3 or 5.</summary>
    public int NodeCount { get; init; } = 3;

    /// <summary>QUORUM_SYNC or QUORUM_ASYNC.</summary>
    public string FlushMode { get; init; } = "QUORUM_SYNC";

    /// <summary>Options of the nodes' storage, by key. Small segments, so that rolls happen often.</summary>
    public IReadOnlyDictionary<string, string> Storage { get; init; } =
        new Dictionary<string, string> { ["segmentSize"] = "16MiB" };

    /// <summary>Messages a second of the steady producers; the probe adds 20.</summary>
    public int Rate { get; init; } = 250;

    /// <summary>Acked messages below which a run is void.</summary>
    public int AckedMin { get; init; } = 1000;

    /// <summary>Kinds that take part, in this order when there are rounds.</summary>
    public IReadOnlyList<FaultKind> Faults { get; init; } = [];

    /// <summary>Kinds that were asked for and cannot run here, with the reason.</summary>
    public IReadOnlyDictionary<string, string> NotRun { get; init; } = new Dictionary<string, string>();

    /// <summary>Longest hold of a fault, for short runs; the kind's own range applies below it.</summary>
    public TimeSpan HoldMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Rest after a fault, at least and at most.</summary>
    public (TimeSpan Min, TimeSpan Max) Rest { get; init; } = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(8));

    /// <summary>Longest time from the end of a fault to the next acked message.</summary>
    public TimeSpan HealTimeMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Where history, node logs and report go; made when absent.</summary>
    public string OutputDirectory { get; init; } = "";

    /// <summary>The program of the nodes.</summary>
    public string Binary { get; init; } = "";

    /// <summary>Where progress is told.</summary>
    public TextWriter Progress { get; init; } = TextWriter.Null;

    public bool UsesNetwork => Faults.Any(fault => fault.Needs.HasFlag(FaultNeeds.Network));

    public bool UsesVolumes => Faults.Any(fault => fault.Needs.HasFlag(FaultNeeds.Volumes));
}
