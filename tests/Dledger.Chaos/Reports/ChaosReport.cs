using System.Text.Json;
using Dledger.Chaos.Checking;

namespace Dledger.Chaos.Reports;

/// <summary>All figures of a run.</summary>
internal sealed record ChaosReport
{
    private static readonly JsonSerializerOptions Format =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public required int Seed { get; init; }

    public required string Mode { get; init; }

    public required int Nodes { get; init; }

    public required double Seconds { get; init; }

    public required Verdict Verdict { get; init; }

    public required IReadOnlyList<FaultFigures> Faults { get; init; }

    /// <summary>Operations by function, then by <c>ok</c>, <c>fail</c> and <c>info</c>.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Operations { get; init; }

    public required int Acked { get; init; }

    public required int Lost { get; init; }

    public required int Phantom { get; init; }

    /// <summary>Stored more than once because a client sent again without knowing; allowed, and counted.</summary>
    public required int StoredAgain { get; init; }

    public required int OutOfOrder { get; init; }

    /// <summary>Deliveries before the lease can have ended, and acks by stale handles that had an effect.</summary>
    public required int Early { get; init; }

    /// <summary>Acks that were refused because the handle was stale; as it should be.</summary>
    public required int StaleAcksRefused { get; init; }

    public required int Redeliveries { get; init; }

    /// <summary>From the end of a lease to the next delivery, ms: median, 99 of 100, longest.</summary>
    public required IReadOnlyList<double> RedeliveryLateness { get; init; }

    public required int DeadLetters { get; init; }

    public required int LeaderChanges { get; init; }

    /// <summary>Longest gap without an acked send outside all faults, ms.</summary>
    public required double CalmGapMax { get; init; }

    public Task WriteAsync(string file) => File.WriteAllTextAsync(file, JsonSerializer.Serialize(this, Format));
}
