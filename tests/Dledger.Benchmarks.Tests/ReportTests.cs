using Dledger.Benchmarks.Comparisons;

namespace Dledger.Benchmarks.Tests;

/// <summary>The reports show losses beside wins, what acknowledgements mean, and what was not measured.</summary>
public sealed class ReportTests
{
    [Fact]
    public void A_loss_stands_in_the_document_as_plainly_as_a_win()
    {
        var text = MarkdownReport.Render(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [
                Results.Run("dledger-v2-sync", "produce-1", 1, 2500), Results.Run("rabbitmq", "produce-1", 1, 250),
                Results.Run("dledger-v2-sync", "consume", 1, 10_000), Results.Run("rabbitmq", "consume", 1, 16_000),
            ]));

        Assert.Contains(
            "| produce, 1 in flight | msg/s | 2,500 | 250 | 10.00x (10.00-10.00) ahead of RabbitMQ 3.10.8 |",
            text,
            StringComparison.Ordinal);
        Assert.Contains(
            "| consume and ack, by up to 32 | msg/s | 10,000 | 16,000 | 0.63x (0.63-0.63) BEHIND RabbitMQ 3.10.8 |",
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_differs_by_less_than_is_shown_is_level()
    {
        var text = Text(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [Results.Run("dledger-v2-sync", "produce-1", 1, 999), Results.Run("rabbitmq", "produce-1", 1, 1000)]));

        Assert.Contains("1.00x (1.00-1.00) level with RabbitMQ 3.10.8", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_document_says_when_on_what_and_by_which_command_it_was_measured()
    {
        var text = MarkdownReport.Render(Results.Of([Results.Dledger, Results.Rabbit], []));

        Assert.StartsWith(
            """

            ### Beside other brokers, 2026-12-01 08:30 UTC, commit 0123456789ab

            `make bench-peers` on A processor, 2 cores, 4.0 GiB, Linux 6.1, .NET 10.0.0. Dledger 0123456789ab, RabbitMQ 3.10.8. It took 25 minutes.

            """,
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Each_system_says_what_an_acknowledgement_means_there()
    {
        var text = Text(Results.Of([Results.Dledger, Results.Nats], []));

        Assert.Contains("Acknowledged after fsync", text, StringComparison.Ordinal);
        Assert.Contains("Acknowledged from the page cache", text, StringComparison.Ordinal);
        Assert.Contains("stored as NATS 2.9.10 does", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_that_syncs_less_than_it_promises_is_named()
    {
        var result = Results.Of([Results.Dledger, Results.Rabbit], []);

        var text = Text(result with { Syncs = [new("dledger-v2-sync", 100, [100, 99, 100]), new("rabbitmq", 100, [100, 3, 2])] });

        Assert.Contains("made 100, 99, 100 syncs on the three nodes" + Environment.NewLine, text, StringComparison.Ordinal);
        Assert.Contains("made 100, 3, 2 syncs on the three nodes: FEWER THAN IT PROMISES", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_measured_is_in_both_reports()
    {
        var result = Results.Of([Results.Dledger], []) with
        {
            Absences = [new("rabbitmq", null, 0, "rabbitmq-server is not installed"), new("dledger-v2-sync", "consume", 2, "too\nlate")],
        };

        Assert.All([Text(result), MarkdownReport.Render(result)], text =>
        {
            Assert.Contains("Not measured: rabbitmq: rabbitmq-server is not installed", text, StringComparison.Ordinal);
            Assert.Contains("Not measured: Dledger v2 QUORUM_SYNC, round 2, consume: too late", text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Disturbed_values_bear_a_mark_and_every_run_its_neighbours_load()
    {
        var text = MarkdownReport.Render(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [
                Results.Run("dledger-v2-sync", "produce-64", 1, 30_000) with { OtherCores = 0.05 },
                Results.Run("dledger-v2-sync", "produce-64", 2, 20_000) with { OtherCores = 0.5, IsDisturbed = true },
                Results.Run("rabbitmq", "produce-64", 1, 4_000) with { Failures = 2 },
            ]));

        Assert.Contains(@"| produce, 64 in flight | msg/s | 25,000\* | 4,000! |", text, StringComparison.Ordinal);
        Assert.Contains("| produce, 64 in flight | 0.05 0.50 | 0.00 |", text, StringComparison.Ordinal);
    }

    private static string Text(ComparisonResult result)
    {
        var output = new StringWriter();
        TextReport.Write(result, output);
        return output.ToString();
    }
}
