using Dledger.Chaos.Machines;
using Dledger.Chaos.Reports;
using Dledger.Chaos.Trials;

namespace Dledger.Chaos.Tests;

/// <summary>Figures of the trials.</summary>
public sealed class TrialTests
{
    [Fact]
    public void Ninety_nine_of_a_hundred_calls_take_no_longer_than_the_99th_percentile()
    {
        var figures = LatencyFigures.Of(Enumerable.Range(1, 200).Select(n => (double)n).Reverse(), failed: 3);

        Assert.Equal(new LatencyFigures(200, 3, 100, 198, 200), figures);
    }

    [Fact]
    public void No_calls_have_no_figures() => Assert.Equal(default, LatencyFigures.Of([], failed: 0));

    [Fact]
    public void One_missed_target_is_told_and_misses_the_whole()
    {
        using var output = new StringWriter();
        var table = new TrialTable();
        table.Add("quick", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.True(table.IsMet);

        table.Add("slow", TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(5));
        table.Write(output);

        Assert.False(table.IsMet);
        Assert.Matches("quick .*1.00 s  target 5 s: met", output.ToString());
        Assert.Matches("slow .*6.00 s  target 5 s: MISSED", output.ToString());
    }

    [Fact]
    public void Memory_without_files_is_part_of_the_resident_memory_and_a_process_that_is_gone_has_none()
    {
        var own = ProcessMemory.Of(Environment.ProcessId);

        Assert.InRange(own.Anonymous, 1 << 20, own.Resident);
        Assert.Equal(default, ProcessMemory.Of(int.MaxValue));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("ten")]
    [InlineData("2000")]
    public async Task A_size_that_is_none_is_refused(string size) =>
        Assert.Equal(2, await CommandLine.RunAsync(["large-log", "--gib", size], CancellationToken.None));

    [Theory]
    [InlineData("--count", "0")]
    [InlineData("--pending", "many")]
    [InlineData("--pending", "100000001")]
    public async Task A_number_of_delayed_messages_that_is_none_is_refused(string flag, string number) =>
        Assert.Equal(2, await CommandLine.RunAsync(["timers", flag, number], CancellationToken.None));
}
