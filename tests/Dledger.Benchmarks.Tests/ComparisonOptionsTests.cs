using Dledger.Benchmarks.Comparisons;

namespace Dledger.Benchmarks.Tests;

/// <summary>Arguments of the comparison, and the command that repeats it.</summary>
public sealed class ComparisonOptionsTests
{
    [Fact]
    public void Without_arguments_a_row_takes_ten_seconds_in_each_of_three_rounds()
    {
        var options = ComparisonOptions.Parse(["/bin/dledger"]);

        Assert.Equal((10, 5, 3, 1024), (
            options.Duration.TotalSeconds, options.WarmUp.TotalSeconds, options.Rounds, options.BodyBytes));
    }

    [Fact]
    public void The_command_that_repeats_a_run_names_what_differs_from_the_usual()
    {
        var options = ComparisonOptions.Parse(
            ["/bin/dledger", "--seconds", "2", "--rounds", "1", "--only", "nats,rabbitmq", "--rows", "produce-64"]);

        Assert.Equal(
            "make bench-peers SECONDS=2 ROUNDS=1 ONLY=nats,rabbitmq ROWS=produce-64", Comparison.CommandOf(options));
    }

    [Theory]
    [InlineData("--rounds", "0", "not a number from 1 to 20")]
    [InlineData("--seconds", "1e3", "not a number from 1 to 600")]
    [InlineData("--body", "23", "not a number from 24 to 262144")]
    [InlineData("--only", "kafka", "not one of dledger-v2-sync, dledger-stream-sync, rabbitmq")]
    [InlineData("--rows", "produce-2", "not one of produce-1, produce-16")]
    [InlineData("--speed", "1", "is not an option")]
    public void A_value_out_of_range_is_refused_with_the_range(string name, string value, string message)
    {
        var refusal = Assert.Throws<ArgumentException>(() => ComparisonOptions.Parse(["/bin/dledger", name, value]));

        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_option_without_a_value_is_refused()
    {
        var refusal = Assert.Throws<ArgumentException>(() => ComparisonOptions.Parse(["/bin/dledger", "--rounds"]));

        Assert.Contains("--rounds needs a value", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_consuming_row_reads_what_the_system_could_write_in_the_time_of_a_row()
    {
        var row = ContestRow.All.Single(row => row.Key == "consume");
        var options = ComparisonOptions.Parse(["/bin/dledger", "--seconds", "10"]);

        Assert.Equal(40_000, row.WorkloadOptions(options, messagesPerSecond: 4_000).Messages);
        Assert.Equal(20_000, row.WorkloadOptions(options, messagesPerSecond: 10).Messages);
        Assert.Equal(1_000_000, row.WorkloadOptions(options, messagesPerSecond: 300_000).Messages);
    }
}
