using Dledger.Bench.Machines;
using Dledger.Bench.Targets;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>Everything that a comparison has found; what the reports are made of, and the JSON itself.</summary>
internal sealed record ComparisonResult
{
    public required MachineDescription Machine { get; init; }

    /// <summary>Of the sources, with a mark when they have changes.</summary>
    public required string Commit { get; init; }

    /// <summary>What repeats it.</summary>
    public required string Command { get; init; }

    public required int Rounds { get; init; }

    public required double SecondsOfRow { get; init; }

    public required int BodyBytes { get; init; }

    /// <summary>How long all of it took.</summary>
    public double Seconds { get; init; }

    /// <summary>In the order of the tables.</summary>
    public required IReadOnlyList<ComparedSystem> Systems { get; init; }

    public required IReadOnlyList<Measurement> Measurements { get; init; }

    public required IReadOnlyList<Absence> Absences { get; init; }

    public required IReadOnlyList<SyncEvidence> Syncs { get; init; }
}

/// <summary>A system of a comparison, without what starts it.</summary>
internal sealed record ComparedSystem(
    string Key, string Title, string Version, bool IsPeer, AckPromise Ack, string SendMeaning, string ReceiveMeaning)
{
    public static ComparedSystem Of(Contestant contestant) => new(
        contestant.Key,
        contestant.Title,
        contestant.Version,
        contestant.IsPeer,
        contestant.Ack,
        contestant.SendMeaning,
        contestant.ReceiveMeaning);
}
