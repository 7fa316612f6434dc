using Dledger.Bench.Running;
using Dledger.Bench.Workloads;

namespace Dledger.Bench.Tests.Workloads;

/// <summary>Each workload against a system in memory, for a moment.</summary>
public sealed class WorkloadTests : IDisposable
{
    private static readonly WorkloadOptions Options = new()
    {
        InFlight = 4,
        BodyBytes = 100,
        Consumers = 2,
        Messages = 500,
        BacklogBytes = 20_000,
        WarmUp = TimeSpan.FromMilliseconds(20),
        Duration = TimeSpan.FromMilliseconds(200),
        ReadTimeMax = TimeSpan.FromSeconds(30),
    };

    private readonly PacingClock _clock = new();
    private readonly MemoryTarget _target = new();

    public void Dispose() => _clock.Dispose();

    [Fact]
    public async Task Produce_sends_to_its_topics_in_turn()
    {
        var run = await RunAsync(new ProduceWorkload(), Options with { Topics = 3, Batch = 5 });

        var result = Assert.Single(Assert.Single(run.Phases).Loads);
        Assert.True(result.Messages > 0);
        Assert.Equal(result.Messages, result.Calls * 5);
        Assert.Equal(result.Messages * 100, result.Bytes);
        Assert.InRange(result.Seconds, 0.2, 30);
        Assert.Equal(3, _target.Counts.Count(topic => topic.Value > 0));
    }

    [Fact]
    public async Task Consume_reads_what_it_has_written_and_ends_before_its_time()
    {
        var run = await RunAsync(new ConsumeWorkload(isPlainRead: false), Options with { Duration = TimeSpan.FromMinutes(5) });

        Assert.InRange(Assert.Single(Assert.Single(run.Phases).Loads).Messages, 500, 531);
    }

    [Fact]
    public async Task Read_reads_everything_once_for_each_reader()
    {
        var run = await RunAsync(new ConsumeWorkload(isPlainRead: true), Options with { Duration = TimeSpan.FromMinutes(5) });

        Assert.Equal(2 * _target.Counts[0], Assert.Single(Assert.Single(run.Phases).Loads).Messages);
    }

    [Fact]
    public async Task End_to_end_receives_every_message_of_its_rate_with_a_latency()
    {
        var run = await RunAsync(new EndToEndWorkload(), Options with { Rate = 500 });

        var loads = Assert.Single(run.Phases).Loads;
        Assert.Equal(100, loads[0].Messages);
        Assert.Equal(100, loads[1].Latency.Count);
        Assert.InRange(loads[1].Messages, 100, 110);
        Assert.NotNull(loads[0].Lateness);
        Assert.Empty(loads[1].Errors);
    }

    [Fact]
    public async Task Mixed_sends_and_receives_at_the_same_time()
    {
        var run = await RunAsync(new MixedWorkload("mixed", isFanOut: false), Options);

        var loads = Assert.Single(run.Phases).Loads;
        Assert.Equal(["produce", "consume"], loads.Select(load => load.Name));
        Assert.All(loads, load => Assert.True(load.Messages > 0));
    }

    [Fact]
    public async Task Fan_out_gives_every_group_every_message()
    {
        var run = await RunAsync(new MixedWorkload("fan-out", isFanOut: true), Options with { Groups = 3, Rate = 1_000 });

        var loads = Assert.Single(run.Phases).Loads;
        Assert.Equal(["produce", "group 1", "group 2", "group 3"], loads.Select(load => load.Name));
        Assert.Equal(3, run.Ratios.Count);
        Assert.All(loads.Skip(1), load => Assert.InRange(load.Messages, loads[0].Messages / 2, loads[0].Messages * 2));
    }

    [Fact]
    public async Task Many_topics_take_turns_with_one_of_them_and_are_compared()
    {
        var run = await RunAsync(new ManyTopicsWorkload(), Options with { Topics = 20, Rounds = 2, Duration = TimeSpan.FromSeconds(1) });

        Assert.Equal(
            ["1 topic alone", "1 topic, round 1", "20 topics, round 1", "1 topic, round 2", "20 topics, round 2"],
            run.Phases.Select(phase => phase.Name));
        Assert.Equal(20, _target.Counts.Count(topic => topic.Value > 0));
        Assert.Equal(
            ["20 topics / 1 of them, messages per second", "20 topics / 1 topic alone, messages per second"], run.Ratios.Keys);
        Assert.All(run.Ratios.Values, ratio => Assert.InRange(ratio, 0.001, 1_000));
    }

    [Fact]
    public async Task Backlog_is_made_cold_and_read_while_another_topic_gets_half_of_what_goes()
    {
        var run = await RunAsync(new BacklogWorkload(), Options with { Rate = 1_000 }, () => "made cold by the test");

        Assert.Equal(["half load alone", "half load while the backlog is read"], run.Phases.Select(phase => phase.Name));
        Assert.InRange(run.Phases[1].Loads[1].Messages, 200, 231);
        Assert.All(run.Phases, phase => Assert.Equal(1_024, phase.Loads[0].InFlight));
        Assert.Contains("made cold by the test", run.Notes);
        Assert.Contains(run.Notes, note => note.StartsWith("Read 200 of 200", StringComparison.Ordinal));
        Assert.Equal(200, _target.Counts[0]);
        Assert.True(_target.Counts[1] > 0);
    }

    [Fact]
    public async Task Without_a_rate_the_backlog_begins_with_the_full_load()
    {
        var run = await RunAsync(new BacklogWorkload(), Options with { Duration = TimeSpan.FromSeconds(1) });

        Assert.Equal("full load", run.Phases[0].Name);
        Assert.True(run.Phases[1].Loads[0].Messages < run.Phases[0].Loads[0].Messages);
        Assert.Contains(run.Notes, note => note.Contains("not taken out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Redelivery_gives_every_message_back_before_it_is_acknowledged()
    {
        var run = await RunAsync(
            new RedeliveryWorkload(), Options with { Returns = 2, Consumers = 1, Duration = TimeSpan.FromMinutes(5) });

        Assert.InRange(Assert.Single(run.Ratios).Value, 2, 3.1);
    }

    [Fact]
    public async Task An_interrupted_workload_keeps_what_it_has_measured_and_runs_no_further_phase()
    {
        using var interrupt = new CancellationTokenSource();
        var options = Options with { Duration = TimeSpan.FromHours(1), WarmUp = TimeSpan.Zero };
        await using var run = new WorkloadRun(new BenchRun(_clock), _target, options, []);
        _target.Sent = count =>
        {
            if (count == 100)
            {
                interrupt.Cancel();
            }
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new ManyTopicsWorkload().RunAsync(run, interrupt.Token));

        var result = Assert.Single(Assert.Single(run.Phases).Loads);
        Assert.InRange(result.Messages, 95, 120);
        Assert.InRange(result.Seconds, 0, 60);
    }

    private async Task<WorkloadRun> RunAsync(IBenchWorkload workload, WorkloadOptions options, Func<string>? makeCold = null)
    {
        var run = new WorkloadRun(new BenchRun(_clock), _target, options, []) { MakeCold = makeCold };
        await workload.RunAsync(run, CancellationToken.None);
        await run.DisposeAsync();
        Assert.Equal(0, _target.OpenCount);
        return run;
    }
}
