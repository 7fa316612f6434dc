using System.Globalization;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>A comparison for a terminal.</summary>
internal static class TextReport
{
    private const int TitleWidth = 37;
    private const int UnitWidth = 22;
    private const int RatioWidth = 48;

    /// <summary>One row as it ends.</summary>
    public static string Progress(string system, string row, Measurement run) => string.Create(
        CultureInfo.InvariantCulture,
        $"  {system}: {row}: {run.MessagesPerSecond:0} msg/s, p50 {run.P50:0.00} ms, p99 {run.P99:0.00} ms, "
        + $"{run.CpuSecondsPerMillion:0.0} CPU s/M, others {run.OtherCores:0.00} cores"
        + $"{(run.IsDisturbed ? " DISTURBED" : "")}{(run.Failures > 0 ? $", {run.Failures} FAILED ({run.FirstFailure})" : "")}");

    public static void Write(ComparisonResult result, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"{result.Command}, commit {result.Commit}, {result.Machine}");
        output.WriteLine(Words.Method(result));
        foreach (var table in RatioTable.Build(result))
        {
            output.WriteLine();
            output.WriteLine(Words.Heading(table.Durability));
            foreach (var system in table.Systems)
            {
                output.WriteLine($"  {system.Title}: an acknowledged send is {system.SendMeaning}");
                output.WriteLine($"    the ack of a receive: {system.ReceiveMeaning}");
                output.WriteLine($"    {Words.Evidence(result, system)}");
            }

            Write(table, output);
        }

        output.WriteLine();
        output.WriteLine(Words.Legend);
        foreach (var line in Words.Absences(result))
        {
            output.WriteLine(line);
        }
    }

    private static void Write(RatioTable table, TextWriter output)
    {
        var width = table.Systems.Max(system => system.Title.Length) + 2;
        var ours = table.Systems.Where(system => !system.IsPeer).ToArray();
        output.WriteLine();
        WriteLine(
            output,
            "",
            "",
            table.Systems.Select(system => system.Title.PadLeft(width)),
            ours.Select(system => Words.RatioHeading(system).PadRight(RatioWidth)));
        var last = "";
        foreach (var line in table.Lines)
        {
            WriteLine(
                output,
                line.Title == last ? "" : line.Title,
                line.Figure.Unit,
                table.Systems.Select(system => Words.Cell(line, system).PadLeft(width)),
                ours.Select(system => Words.Ratio(line, system).PadRight(RatioWidth)));
            last = line.Title;
        }
    }

    private static void WriteLine(TextWriter output, string title, string unit, IEnumerable<string> cells, IEnumerable<string> ratios) =>
        output.WriteLine(
            $"{title.PadRight(TitleWidth)}{unit.PadRight(UnitWidth)}{string.Concat(cells)}  {string.Concat(ratios)}".TrimEnd());
}
