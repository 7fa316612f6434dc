using Dledger.Bench.Measuring;
using Dledger.Bench.Running;
using Dledger.Cli.Commands.Bench;
using Dledger.Cli.Output;

namespace Dledger.Cli.Tests;

public sealed class LiveProgressTests
{
    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;

    [Fact]
    public async Task The_line_tells_of_each_load_what_came_since_the_last_one()
    {
        var clock = new StandingClock();
        var run = new BenchRun(clock);
        var progress = new LiveProgress(new Terminal(TextWriter.Null, TextWriter.Null, TextReader.Null, new Dictionary<string, string>(), false), run);
        var lines = new List<string>();
        var load = new ScriptedLoad(meter =>
        {
            lines.Add(progress.Line());
            clock.Now = 2 * Second;
            meter.Count(0, clock.Now - (3 * Millisecond), clock.Now, 500, 5_000);
            clock.Now = 3 * Second;
            lines.Add(progress.Line());
            meter.Count(0, clock.Now - (7 * Millisecond), clock.Now, 100, 1_000);
            meter.Failed(new TimeoutException());
            clock.Now = 4 * Second;
            lines.Add(progress.Line());
        });

        await run.RunAsync(new BenchPhase("phase", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(9), [load]), null, default);

        Assert.Equal(
            [
                "phase: warming up",
                "phase: sends 250 msg/s, p50 3.00 ms, p99 3.00 ms",
                "phase: sends 100 msg/s, p50 7.00 ms, p99 7.00 ms, 1 failed",
            ],
            lines);
        Assert.Equal("", progress.Line());
    }

    private sealed class StandingClock : IBenchClock
    {
        public long Now { get; set; }

        public ValueTask WaitUntilAsync(long time, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }

    private sealed class ScriptedLoad(Action<LoadMeter> work) : IBenchLoad
    {
        public LoadMeter Meter { get; } = new("sends", 1, 1);

        public bool EndsPhase => false;

        public Task RunAsync(LoadWindow window, CancellationToken cancellationToken)
        {
            work(Meter);
            return Task.CompletedTask;
        }
    }
}
