using System.Globalization;
using System.Text;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>A comparison as a section of a document.</summary>
internal static class MarkdownReport
{
    /// <summary>The section, with an empty line before its heading.</summary>
    public static string Render(ComparisonResult result)
    {
        var text = new StringBuilder();
        Line(text, "");
        Line(text, string.Create(
            CultureInfo.InvariantCulture,
            $"### Beside other brokers, {result.Machine.Time:yyyy-MM-dd HH:mm} UTC, commit {result.Commit}"));
        Line(text, "");
        Line(text, $"`{result.Command}` on {result.Machine}. Dledger {result.Commit}"
            + string.Concat(result.Systems.Where(system => system.IsPeer).Select(system => $", {system.Title}"))
            + string.Create(CultureInfo.InvariantCulture, $". It took {result.Seconds / 60:0} minutes."));
        Line(text, "");
        Line(text, Words.Method(result));
        foreach (var table in RatioTable.Build(result))
        {
            Write(text, table, result);
        }

        Line(text, "");
        Line(text, Words.Legend);
        foreach (var absence in Words.Absences(result))
        {
            Line(text, "");
            Line(text, Escape(absence));
        }

        WriteLoads(text, result);
        return text.ToString();
    }

    private static void Write(StringBuilder text, RatioTable table, ComparisonResult result)
    {
        Line(text, "");
        Line(text, $"#### {Words.Heading(table.Durability)}");
        Line(text, "");
        foreach (var system in table.Systems)
        {
            Line(text, Escape($"- **{system.Title}**. Sends: {system.SendMeaning}. Acks of receives: {system.ReceiveMeaning}. "
                + Words.Evidence(result, system)) + ".");
        }

        Line(text, "");
        var ours = table.Systems.Where(system => !system.IsPeer).ToArray();
        Row(text, ["row", "figure", .. table.Systems.Select(system => system.Title), .. ours.Select(Words.RatioHeading)]);
        Row(text, ["---", "---", .. table.Systems.Select(_ => "---:"), .. ours.Select(_ => "---")]);
        foreach (var line in table.Lines)
        {
            Row(text, [
                line.Title,
                line.Figure.Unit,
                .. table.Systems.Select(system => Words.Cell(line, system)),
                .. ours.Select(system => Words.Ratio(line, system)),
            ]);
        }
    }

    private static void WriteLoads(StringBuilder text, ComparisonResult result)
    {
        Line(text, "");
        Line(text, "CPU of other processes in each run, in cores, round by round:");
        Line(text, "");
        Row(text, ["row", .. result.Systems.Select(system => system.Title)]);
        Row(text, ["---", .. result.Systems.Select(_ => "---")]);
        foreach (var (key, title, _) in RatioTable.Rows)
        {
            var runs = result.Measurements.Where(run => run.Row == key).ToArray();
            if (runs.Length > 0)
            {
                Row(text, [title, .. result.Systems.Select(system => string.Join(' ', runs
                    .Where(run => run.System == system.Key)
                    .OrderBy(run => run.Round)
                    .Select(run => run.OtherCores.ToString("0.00", CultureInfo.InvariantCulture))))]);
            }
        }
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) =>
        Line(text, $"| {string.Join(" | ", cells.Select(Escape))} |");

    // A star begins emphasis, and a bar ends a cell.
    private static string Escape(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace("*", "\\*", StringComparison.Ordinal)
            .Replace("\\*\\*", "**", StringComparison.Ordinal);

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
