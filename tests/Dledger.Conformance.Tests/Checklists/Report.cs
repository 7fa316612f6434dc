using System.Xml.Linq;

namespace Dledger.Conformance.Tests.Checklists;

/// <summary>The table of <c>make conformance</c>: what a run of the tests says of each item.</summary>
internal static class Report
{
    private static readonly XNamespace Trx = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    /// <summary>Writes the table; false when an item has failed or was not run, or when a test beside the items has failed.</summary>
    public static bool Write(XDocument results, TextWriter output)
    {
        var runs = results.Descendants(Trx + "UnitTestResult")
            .Select(result => (
                Item: Checklist.NumberOf((string)result.Attribute("testName")!) ?? "",
                Name: (string)result.Attribute("testName")!,
                Passed: (string?)result.Attribute("outcome") == "Passed"))
            .ToLookup(run => run.Item);
        var verdicts = Checklist.Items.Select(item => (Item: item, Verdict: VerdictOf(item, [.. runs[item.Number]]))).ToArray();
        var width = Checklist.Items.Max(item => item.Statement.Length);
        var section = "";
        foreach (var (item, verdict) in verdicts)
        {
            if (item.Section != section)
            {
                section = item.Section;
                output.WriteLine($"{Environment.NewLine}{section}");
            }

            output.WriteLine($"  {item.Number,-4} {item.Statement.PadRight(width)}  {verdict}");
        }

        var failed = verdicts.Count(one => one.Verdict.StartsWith("FAIL", StringComparison.Ordinal));
        var passed = verdicts.Count(one => one.Verdict.StartsWith("pass", StringComparison.Ordinal));
        output.WriteLine($"{Environment.NewLine}{passed} pass, {failed} fail, {verdicts.Length - passed - failed} not applicable");
        var others = runs[""].Where(run => !run.Passed).ToArray();
        foreach (var run in others)
        {
            output.WriteLine($"FAIL beside the items: {run.Name}");
        }

        return failed == 0 && others.Length == 0;
    }

    private static string VerdictOf(ChecklistItem item, (string Item, string Name, bool Passed)[] runs)
    {
        if (Checklist.Untested.TryGetValue(item.Number, out var reason))
        {
            return $"not applicable: {reason}";
        }

        if (runs.Length == 0)
        {
            return "FAIL: not run";
        }

        var failures = runs.Where(run => !run.Passed).Select(run => run.Name[run.Name.IndexOf("Item_", StringComparison.Ordinal)..]).ToArray();
        return failures.Length == 0 ? $"pass ({runs.Length})" : $"FAIL: {string.Join("; ", failures)}";
    }
}
