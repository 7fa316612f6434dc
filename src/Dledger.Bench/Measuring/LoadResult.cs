namespace Dledger.Bench.Measuring;

/// <summary>What one load did: one row of a table.</summary>
/// <param name="Name">Of the load.</param>
/// <param name="InFlight">Calls at the same time; at a fixed rate the most of them.</param>
/// <param name="Batch">Most messages of one call.</param>
/// <param name="Messages">Acknowledged, or received.</param>
/// <param name="Bytes">Of their bodies.</param>
/// <param name="Calls">That carried them.</param>
/// <param name="Seconds">From the end of the warm-up to the last answer.</param>
/// <param name="Latency">Of each call, or of each message from end to end.</param>
/// <param name="Lateness">How late calls of a load at a fixed rate began; part of their latency. Null for other loads.</param>
/// <param name="Errors">Failed calls by kind.</param>
public sealed record LoadResult(
    string Name,
    int InFlight,
    int Batch,
    long Messages,
    long Bytes,
    long Calls,
    double Seconds,
    LatencySummary Latency,
    LatencySummary? Lateness,
    IReadOnlyDictionary<string, BenchError> Errors)
{
    public double MessagesPerSecond => Seconds > 0 ? Messages / Seconds : 0;

    public double BytesPerSecond => Seconds > 0 ? Bytes / Seconds : 0;
}

/// <summary>Failures of one kind.</summary>
/// <param name="Count">How many.</param>
/// <param name="First">What the first one said.</param>
public sealed record BenchError(long Count, string First);
