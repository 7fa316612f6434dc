using System.Globalization;
using Dledger.Bench.Targets;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>What the reports say in words, the same in all of them.</summary>
internal static class Words
{
    public const string Legend =
        "Values are medians of the rounds, ratios medians of the ratios within each round with their range; above 1 Dledger is "
        + "ahead, below 1 the peer. * other processes used more than 0.2 cores meanwhile, so do not rely on it. ! calls failed.";

    private const string NotMeasured = "-";

    public static string Heading(AckDurability durability) => durability switch
    {
        AckDurability.Synced => "Acknowledged after fsync",
        AckDurability.PageCache => "Acknowledged from the page cache",
        _ => "Nobody says what an acknowledgement means",
    };

    public static string Method(ComparisonResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"{result.Rounds} rounds of {result.SecondsOfRow:0} s a row, bodies of {result.BodyBytes} B, clients and three nodes on the same "
        + $"cores. The systems take turns: started with empty directories, warmed up, measured, and killed before the next one starts. "
        + $"One topic with one group: a topic with its usual number of queues, a stream, a quorum queue. Clients are connected to "
        + $"the leader.");

    /// <summary>What strace has seen.</summary>
    public static string Evidence(ComparisonResult result, ComparedSystem system)
    {
        if (result.Syncs.FirstOrDefault(syncs => syncs.System == system.Key) is not { } seen)
        {
            return "syncs were not counted";
        }

        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"strace: {seen.Messages} single sends, one after another, made {string.Join(", ", seen.Syncs)} syncs on the three nodes");
        return system.Ack.Durability == AckDurability.Synced && !seen.Covers(system.Ack.Copies)
            ? $"{text}: FEWER THAN IT PROMISES"
            : text;
    }

    public static string Cell(RatioLine line, ComparedSystem system) => line.Cells[system.Key] is not { } cell
        ? NotMeasured
        : Number(cell.Median, line.Figure.Decimals) + (cell.IsDisturbed ? "*" : "") + (cell.HasFailures ? "!" : "");

    public static string RatioHeading(ComparedSystem system) => $"{system.Title} / best peer";

    /// <summary>Such as <c>6.20x (5.80-6.60) ahead of RabbitMQ 3.10.8</c>; empty where it cannot be said.</summary>
    public static string Ratio(RatioLine line, ComparedSystem system) =>
        line.Ratios.FirstOrDefault(ratio => ratio.System == system) is { } ratio
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{ratio.Median:0.00}x ({ratio.Min:0.00}-{ratio.Max:0.00}) {Place(ratio)} {ratio.Peer.Title}")
            : "";

    public static IEnumerable<string> Absences(ComparisonResult result) =>
        from absence in result.Absences
        let title = result.Systems.FirstOrDefault(system => system.Key == absence.System)?.Title ?? absence.System
        let place = absence.Round == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", round {absence.Round}")
        let row = absence.Row is null ? "" : $", {absence.Row}"
        select $"Not measured: {title}{place}{row}: {absence.Reason.ReplaceLineEndings(" ")}";

    private static string Place(Ratio ratio) =>
        Math.Round(ratio.Median, 2) == 1 ? "level with" : ratio.Ahead.IsPeer ? "BEHIND" : "ahead of";

    private static string Number(double value, int decimals) =>
        value.ToString(decimals == 0 ? "#,0" : "#,0." + new string('0', decimals), CultureInfo.InvariantCulture);
}
