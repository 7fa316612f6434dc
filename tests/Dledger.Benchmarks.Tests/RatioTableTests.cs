using Dledger.Bench.Targets;
using Dledger.Benchmarks.Comparisons;

namespace Dledger.Benchmarks.Tests;

/// <summary>Figures of several rounds become one line that says who is ahead.</summary>
public sealed class RatioTableTests
{
    [Fact]
    public void A_value_is_the_median_of_the_rounds()
    {
        var line = Line(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [Run("dledger-v2-sync", 1, 900), Run("dledger-v2-sync", 2, 100), Run("dledger-v2-sync", 3, 500), Run("rabbitmq", 1, 100)]));

        Assert.Equal(500, line.Cells["dledger-v2-sync"]!.Median);
    }

    [Fact]
    public void A_ratio_is_taken_within_each_round()
    {
        // The machine was ten times slower in the second round, and for both.
        var line = Line(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [
                Run("dledger-v2-sync", 1, 3000), Run("rabbitmq", 1, 1000), Run("dledger-v2-sync", 2, 400), Run("rabbitmq", 2, 100),
                Run("dledger-v2-sync", 3, 2000), Run("rabbitmq", 3, 1000),
            ]));

        var ratio = Assert.Single(line.Ratios);
        Assert.Equal((3.0, 2.0, 4.0), (ratio.Median, ratio.Min, ratio.Max));
        Assert.Equal("dledger-v2-sync", ratio.Ahead.Key);
    }

    [Fact]
    public void The_peer_is_ahead_where_it_does_more()
    {
        var line = Line(Results.Of([Results.Dledger, Results.Rabbit], [Run("dledger-v2-sync", 1, 500), Run("rabbitmq", 1, 1000)]));

        var ratio = Assert.Single(line.Ratios);
        Assert.Equal(0.5, ratio.Median);
        Assert.Equal("rabbitmq", ratio.Ahead.Key);
    }

    [Fact]
    public void Of_two_latencies_the_smaller_is_ahead()
    {
        var line = Line(
            Results.Of(
                [Results.Dledger, Results.Rabbit],
                [Run("dledger-v2-sync", 1, 0) with { P99 = 2 }, Run("rabbitmq", 1, 0) with { P99 = 6 }]),
            Figure.P99);

        Assert.Equal(3, Assert.Single(line.Ratios).Median);
    }

    [Fact]
    public void The_best_peer_is_the_one_that_counts()
    {
        var line = Line(Results.Of(
            [Results.Dledger, Results.Rabbit, Results.NatsAlways],
            [Run("dledger-v2-sync", 1, 1000), Run("rabbitmq", 1, 100), Run("nats-always", 1, 2000)]));

        var ratio = Assert.Single(line.Ratios);
        Assert.Equal("nats-always", ratio.Peer.Key);
        Assert.Equal(0.5, ratio.Median);
    }

    [Fact]
    public void Systems_whose_acknowledgements_differ_are_never_compared()
    {
        var tables = RatioTable.Build(Results.Of(
            [Results.Dledger, Results.Nats], [Run("dledger-v2-sync", 1, 100), Run("nats", 1, 1000)]));

        Assert.Equal([AckDurability.Synced, AckDurability.PageCache], tables.Select(table => table.Durability));
        Assert.All(tables.SelectMany(table => table.Lines), line => Assert.Empty(line.Ratios));
    }

    [Fact]
    public void What_a_peer_did_not_do_has_no_value_and_no_ratio()
    {
        var line = Line(Results.Of([Results.Dledger, Results.Rabbit], [Run("dledger-v2-sync", 1, 100)]));

        Assert.Null(line.Cells["rabbitmq"]);
        Assert.Empty(line.Ratios);
    }

    [Fact]
    public void A_peer_that_uses_nothing_when_idle_is_ahead_and_not_left_out()
    {
        var line = RatioTable.Build(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [
                Run("dledger-v2-sync", 1, 0) with { Row = RatioTable.IdleRow, CpuSecondsPerSecond = 0.02 },
                Run("rabbitmq", 1, 0) with { Row = RatioTable.IdleRow, CpuSecondsPerSecond = 0 },
            ])).Single().Lines.Single(line => line.Figure == Figure.IdleCpu);

        var ratio = Assert.Single(line.Ratios);
        Assert.Equal(0.1, ratio.Median, 6);
        Assert.Equal("rabbitmq", ratio.Ahead.Key);
    }

    [Fact]
    public void A_value_is_marked_when_one_of_its_rounds_was_disturbed()
    {
        var line = Line(Results.Of(
            [Results.Dledger, Results.Rabbit],
            [Run("dledger-v2-sync", 1, 100), Run("dledger-v2-sync", 2, 100) with { IsDisturbed = true }, Run("rabbitmq", 1, 100)]));

        Assert.True(line.Cells["dledger-v2-sync"]!.IsDisturbed);
        Assert.False(line.Cells["rabbitmq"]!.IsDisturbed);
    }

    [Fact]
    public void The_most_memory_of_a_round_is_a_row_of_its_own()
    {
        var table = RatioTable.Build(Results.Of(
            [Results.Dledger],
            [
                Run("dledger-v2-sync", 1, 1) with { MemoryBytes = 100 << 20 },
                Run("dledger-v2-sync", 1, 1) with { Row = "consume", MemoryBytes = 300 << 20 },
                Run("dledger-v2-sync", 1, 1) with { Row = RatioTable.IdleRow, MemoryBytes = 50 << 20 },
            ])).Single();

        Assert.Equal(300, table.Lines.Single(line => line.Row == RatioTable.BusyRow).Cells["dledger-v2-sync"]!.Median);
        var idle = table.Lines.Single(line => line.Row == RatioTable.IdleRow && line.Figure == Figure.Memory);
        Assert.Equal(50, idle.Cells["dledger-v2-sync"]!.Median);
    }

    private static Measurement Run(string system, int round, double messagesPerSecond) =>
        Results.Run(system, "produce-1", round, messagesPerSecond);

    private static RatioLine Line(ComparisonResult result, Figure? figure = null) =>
        RatioTable.Build(result).First().Lines.Single(line => line.Row == "produce-1" && line.Figure == (figure ?? Figure.Rate));
}
