using System.Xml.Linq;

namespace Dledger.Conformance.Tests.Checklists;

public sealed class ReportTests
{
    [Fact]
    public void An_item_passes_when_all_its_tests_did_and_the_report_when_all_items_do()
    {
        var runs = Checklist.Tested.Select(number => (Name: NameOf(number), Outcome: "Passed"));

        var (isWhole, table) = Write(runs);

        Assert.True(isWhole);
        Assert.Contains($"{Checklist.Tested.Count} pass, 0 fail, {Checklist.Untested.Count} not applicable", table, StringComparison.Ordinal);
    }

    [Fact]
    public void One_failed_test_fails_its_item_by_name()
    {
        var runs = Checklist.Tested.Select(number => (Name: NameOf(number), Outcome: "Passed"))
            .Append(("Dledger.Conformance.Tests.Items.SendItems.Item_22_second", "Failed"));

        var (isWhole, table) = Write(runs);

        Assert.False(isWhole);
        Assert.Contains("FAIL: Item_22_second", table, StringComparison.Ordinal);
    }

    [Fact]
    public void An_item_whose_tests_did_not_run_fails()
    {
        var runs = Checklist.Tested.Where(number => number != "22").Select(number => (Name: NameOf(number), Outcome: "Passed"));

        var (isWhole, table) = Write(runs);

        Assert.False(isWhole);
        Assert.Contains("FAIL: not run", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_test_beside_the_items_is_named()
    {
        var runs = Checklist.Tested.Select(number => (Name: NameOf(number), Outcome: "Passed"))
            .Append(("Dledger.Conformance.Tests.Refusals.A_rule", "Failed"));

        var (isWhole, table) = Write(runs);

        Assert.False(isWhole);
        Assert.Contains("FAIL beside the items: Dledger.Conformance.Tests.Refusals.A_rule", table, StringComparison.Ordinal);
    }

    private static string NameOf(string number) => $"Dledger.Conformance.Tests.Items.X.Item_{number}_does_it";

    private static (bool IsWhole, string Table) Write(IEnumerable<(string Name, string Outcome)> runs)
    {
        XNamespace trx = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";
        using var output = new StringWriter();
        var isWhole = Report.Write(
            new XDocument(new XElement(trx + "TestRun", runs.Select(run => new XElement(
                trx + "UnitTestResult", new XAttribute("testName", run.Name), new XAttribute("outcome", run.Outcome))))),
            output);
        return (isWhole, output.ToString());
    }
}
