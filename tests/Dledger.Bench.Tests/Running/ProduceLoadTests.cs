using Dledger.Bench.Measuring;
using Dledger.Bench.Running;

namespace Dledger.Bench.Tests.Running;

public sealed class ProduceLoadTests
{
    private const long Millisecond = SimulatedClock.Millisecond;

    private readonly SimulatedClock _clock = new();

    [Fact]
    public async Task A_stall_is_in_the_latency_of_every_send_that_came_due_meanwhile()
    {
        var producer = Stalling(at: 500, time: SimulatedClock.Second);

        var result = await RunAsync(producer, Shape with { Rate = 1_000 }, seconds: 4);

        // A quarter of the sends came due in the second of the stall, or while their predecessors caught up.
        Assert.Equal(4_000, result.Messages);
        Assert.InRange(result.Latency.P50, 0, 1);
        Assert.InRange(result.Latency.P90, 500, 1_000);
        Assert.InRange(result.Latency.P99, 900, 1_000);
        Assert.InRange(result.Latency.Max, 1_000, 1_001);
        Assert.InRange(result.Lateness!.P99, 900, 1_000);
    }

    [Fact]
    public async Task Without_a_rate_a_stall_is_one_slow_call()
    {
        var producer = Stalling(at: 500, time: SimulatedClock.Second);

        var result = await RunAsync(producer, Shape, seconds: 4);

        Assert.InRange(result.Latency.P99, 0, 1);
        Assert.InRange(result.Latency.Max, 1_000, 1_001);
        Assert.Null(result.Lateness);
    }

    [Fact]
    public async Task A_send_that_could_not_begin_until_long_after_the_end_is_counted_with_the_time_that_it_waited()
    {
        var producer = Stalling(at: 0, time: 60 * SimulatedClock.Second);

        var result = await RunAsync(producer, Shape with { Rate = 100 }, seconds: 1);

        Assert.Equal(1, result.Messages);
        Assert.Equal(99, result.Errors["SendOverdue"].Count);
        Assert.Equal(100, result.Latency.Count);
        Assert.InRange(result.Latency.P50, 59_000, 60_001);
    }

    [Fact]
    public async Task The_rate_is_in_messages_whatever_the_batch()
    {
        var producer = new ScriptedProducer(_ => _clock.Advance(Millisecond));

        var result = await RunAsync(producer, Shape with { Rate = 1_000, BatchCount = 10 }, seconds: 2);

        Assert.Equal(2_000, result.Messages);
        Assert.Equal(200, result.Calls);
        Assert.Equal(2_000 * 100, result.Bytes);
        Assert.InRange(result.MessagesPerSecond, 990, 1_010);
    }

    [Fact]
    public async Task What_begins_in_the_warm_up_is_not_counted()
    {
        var producer = new ScriptedProducer(_ => _clock.Advance(Millisecond));

        var result = await RunAsync(producer, Shape, seconds: 1, warmUpSeconds: 2);

        Assert.InRange(producer.Sends.Count, 2_999, 3_001);
        Assert.InRange(result.Messages, 999, 1_001);
        Assert.InRange(result.Seconds, 0.999, 1.001);
    }

    [Fact]
    public async Task Failures_are_counted_by_kind_with_the_first_text_and_the_load_goes_on()
    {
        var producer = new ScriptedProducer(number =>
        {
            _clock.Advance(Millisecond);
            if (number is 1 or 2)
            {
                throw new TimeoutException($"the failure of send {number}");
            }

            if (number == 3)
            {
                throw new InvalidOperationException("another one");
            }
        });

        var result = await RunAsync(producer, Shape, seconds: 1);

        Assert.Equal(new BenchError(2, "the failure of send 1"), result.Errors["Timeout"]);
        Assert.Equal(new BenchError(1, "another one"), result.Errors["InvalidOperation"]);
        Assert.InRange(result.Messages, 690, 700);
    }

    [Fact]
    public async Task A_system_that_refuses_everything_is_not_hammered()
    {
        var producer = new ScriptedProducer(_ => throw new InvalidOperationException("no"));

        var result = await RunAsync(producer, Shape, seconds: 10);

        Assert.Equal(0, result.Messages);
        Assert.Equal(0, result.MessagesPerSecond);
        Assert.InRange(producer.Sends.Count, 99, 101);
    }

    [Fact]
    public void Kinds_of_failures_are_bounded()
    {
        var meter = new LoadMeter("many", 1, 1);
        Exception[] kinds =
        [
            new TimeoutException(), new InvalidOperationException(), new IOException(), new FormatException(), new ArgumentException(),
            new ArgumentNullException(), new ArgumentOutOfRangeException(), new NotSupportedException(), new OverflowException(),
            new DivideByZeroException(), new IndexOutOfRangeException(), new KeyNotFoundException(), new RankException(),
            new UnauthorizedAccessException(), new EndOfStreamException(), new FileNotFoundException(), new DirectoryNotFoundException(),
            new ObjectDisposedException("it"), new ApplicationException(),
        ];

        foreach (var kind in kinds)
        {
            meter.Failed(kind);
        }

        Assert.Equal(kinds.Length, meter.Failures);
        Assert.Equal(17, meter.Result().Errors.Count);
        Assert.Equal(kinds.Length - 16, meter.Result().Errors["other"].Count);
    }

    [Fact]
    public async Task Sends_go_to_the_topics_in_turn_beginning_with_the_first()
    {
        var producer = new ScriptedProducer(_ => _clock.Advance(Millisecond));

        await RunAsync(producer, Shape with { TopicCount = 3, TopicFirst = 5, MessagesMax = 7 }, seconds: 1);

        Assert.Equal([5, 6, 7, 5, 6, 7, 5], producer.Sends.Select(send => send.Topic));
    }

    [Fact]
    public async Task A_count_ends_the_load_and_the_phase()
    {
        var producer = new ScriptedProducer(_ => _clock.Advance(Millisecond));

        var result = await RunAsync(producer, Shape with { MessagesMax = 100, BatchCount = 25 }, seconds: 1_000);

        Assert.Equal(100, result.Messages);
        Assert.Equal(4, producer.Sends.Count);
        Assert.InRange(result.Seconds, 0.003, 0.005);
    }

    [Fact]
    public async Task An_interrupted_load_ends_with_what_it_has_counted()
    {
        using var interrupt = new CancellationTokenSource();
        var producer = new ScriptedProducer(number =>
        {
            _clock.Advance(Millisecond);
            if (number == 49)
            {
                interrupt.Cancel();
            }
        });

        var result = await RunAsync(producer, Shape with { Rate = 100 }, seconds: 1_000, cancellationToken: interrupt.Token);

        Assert.Equal(50, result.Messages);
        Assert.Empty(result.Errors);
        Assert.InRange(result.Seconds, 0.4, 0.6);
    }

    [Fact]
    public void More_bytes_in_flight_than_the_bound_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProduceLoad(
            "much", _clock, Shape with { InFlight = 1_024, BatchCount = 1_024, BodyBytes = 1_024 }, [new ScriptedProducer(_ => { })], 1));

    private static ProduceShape Shape { get; } = new() { InFlight = 1, BodyBytes = 100 };

    private ScriptedProducer Stalling(int at, long time) => new(number => _clock.Advance(number == at ? time : Millisecond / 10));

    private async Task<LoadResult> RunAsync(
        ScriptedProducer producer, ProduceShape shape, int seconds, int warmUpSeconds = 0, CancellationToken cancellationToken = default)
    {
        var load = new ProduceLoad("produce", _clock, shape, [producer], run: 7);
        var phase = new BenchPhase("test", TimeSpan.FromSeconds(warmUpSeconds), TimeSpan.FromSeconds(seconds), [load]);
        return (await new BenchRun(_clock).RunAsync(phase, null, cancellationToken))[0];
    }
}
