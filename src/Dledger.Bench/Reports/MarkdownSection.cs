using System.Text;

namespace Dledger.Bench.Reports;

/// <summary>A report as a section of a document: heading, origin, command, table, remarks.</summary>
public static class MarkdownSection
{
    /// <summary>Ends with a line end; begins with an empty line, so that it can be put behind any text.</summary>
    public static string Of(BenchReport report)
    {
        var text = new StringBuilder();
        text.Append('\n').Append("### ").Append(report.Workload).Append(", ")
            .Append(report.Machine.Time.ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture)).Append(" UTC\n\n");
        foreach (var line in BenchTable.Origin(report))
        {
            text.Append("- ").Append(Escape(line)).Append('\n');
        }

        text.Append("\n```\n").Append(report.CommandLine.ReplaceLineEndings(" ")).Append("\n```\n\n");
        AppendRow(text, BenchTable.Headings.Select(heading => heading.ToLowerInvariant()));
        AppendRow(text, BenchTable.Headings.Select(_ => "---"));
        foreach (var row in BenchTable.Rows(report))
        {
            AppendRow(text, row.Select(Escape));
        }

        var remarks = BenchTable.Remarks(report).ToArray();
        if (remarks.Length > 0)
        {
            text.Append('\n');
        }

        foreach (var line in remarks)
        {
            text.Append("- ").Append(Escape(line)).Append('\n');
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Escape(string text) =>
        text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
