using Dledger.Bench.Measuring;
using Dledger.Bench.Running;

namespace Dledger.Bench.Tests.Running;

public sealed class ConsumeLoadTests
{
    private const uint Run = 7;
    private const long Millisecond = SimulatedClock.Millisecond;

    private readonly SimulatedClock _clock = new();

    [Fact]
    public async Task The_latency_of_a_message_counts_from_the_moment_in_its_stamp()
    {
        var consumer = new ScriptedConsumer(_ =>
        {
            _clock.Advance(10 * Millisecond);
            return [Message(sent: _clock.Now - (4 * Millisecond)), Message(sent: _clock.Now - (2 * Millisecond))];
        });

        var result = await RunAsync(consumer, Shape with { Latency = ConsumeLatency.EndToEnd });

        Assert.Equal(200, result.Messages);
        Assert.Equal(200, result.Latency.Count);
        Assert.InRange(result.Latency.P50, 2, 2.01);
        Assert.InRange(result.Latency.P90, 4, 4.02);
        Assert.Equal(200, consumer.Acknowledged.Count);
    }

    [Fact]
    public async Task A_message_of_another_run_has_no_latency()
    {
        var consumer = new ScriptedConsumer(_ =>
        {
            _clock.Advance(10 * Millisecond);
            return [Message(sent: 5, run: Run + 1), new ScriptedConsumer.Message(new byte[100], 1), new ScriptedConsumer.Message([1], 1)];
        });

        var result = await RunAsync(consumer, Shape with { Latency = ConsumeLatency.EndToEnd });

        Assert.Equal(300, result.Messages);
        Assert.Equal(0, result.Latency.Count);
    }

    [Fact]
    public async Task The_latency_of_a_call_goes_from_the_receive_to_the_acknowledgement_and_empty_ones_have_none()
    {
        var consumer = new ScriptedConsumer(number =>
        {
            _clock.Advance(10 * Millisecond);
            return number % 2 == 0 ? [Message(sent: 0)] : [];
        });

        var result = await RunAsync(consumer, Shape);

        Assert.Equal(50, result.Calls);
        Assert.Equal(50, result.Latency.Count);
        Assert.InRange(result.Latency.P50, 10, 10.04);
    }

    [Fact]
    public async Task A_message_is_given_back_as_often_as_said_and_then_acknowledged()
    {
        var consumer = new ScriptedConsumer(number =>
        {
            _clock.Advance(Millisecond);
            return [Message(sent: number / 3, attempt: (number % 3) + 1)];
        });

        var result = await RunAsync(consumer, Shape with { Returns = 2, MessagesMax = 10 });

        Assert.Equal(20, consumer.Returned.Count);
        Assert.Equal(10, consumer.Acknowledged.Count);
        Assert.Equal(30, result.Messages);
    }

    [Fact]
    public async Task What_was_sent_is_waited_for_behind_the_end()
    {
        var produce = Produce();
        var isLate = false;
        var consumer = new ScriptedConsumer(_ =>
        {
            if (!produce.IsOver)
            {
                return [];
            }

            _clock.Advance(isLate ? 0 : 5 * SimulatedClock.Second);
            isLate = true;
            return [Message(sent: 0)];
        });
        var consume = Consume(consumer, Shape with { Latency = ConsumeLatency.EndToEnd, Follows = produce });

        var results = await RunAsync(produce, consume);

        Assert.Equal(20, results[1].Messages);
        Assert.InRange(results[1].Latency.Max, 5_000, 10_000);
        Assert.Empty(results[1].Errors);
    }

    [Fact]
    public async Task What_was_sent_and_never_came_is_counted_as_missing()
    {
        var produce = Produce();
        var hasCome = false;
        var consumer = new ScriptedConsumer(_ =>
        {
            if (!produce.IsOver)
            {
                return [];
            }

            _clock.Advance(100 * Millisecond);
            var isFirst = !hasCome;
            hasCome = true;
            return isFirst ? [Message(sent: 0)] : [];
        });

        var results = await RunAsync(produce, Consume(consumer, Shape with { Follows = produce }));

        Assert.Equal(20, results[0].Messages);
        Assert.Equal(19, results[1].Errors["MessageMissing"].Count);
    }

    [Fact]
    public async Task Failures_are_counted_and_the_load_goes_on()
    {
        var consumer = new ScriptedConsumer(number =>
        {
            _clock.Advance(Millisecond);
            return number == 0 ? throw new TimeoutException("slow") : [Message(sent: 0)];
        });

        var result = await RunAsync(consumer, Shape);

        Assert.Equal(new BenchError(1, "slow"), result.Errors["Timeout"]);
        Assert.InRange(result.Messages, 890, 900);
    }

    private static ConsumeShape Shape { get; } = new() { CountMax = 32 };

    private static ScriptedConsumer.Message Message(long sent, int attempt = 1, uint run = Run)
    {
        var body = new byte[100];
        MessageStamp.Write(body, run, sent, sequence: 1);
        return new ScriptedConsumer.Message(body, attempt);
    }

    private ProduceLoad Produce() => new(
        "produce", _clock, new ProduceShape { InFlight = 1, BodyBytes = 100, MessagesMax = 20 },
        [new ScriptedProducer(_ => _clock.Advance(Millisecond))], Run);

    private ConsumeLoad Consume(ScriptedConsumer consumer, ConsumeShape shape) => new("consume", _clock, shape, [consumer], Run);

    private async Task<LoadResult> RunAsync(ScriptedConsumer consumer, ConsumeShape shape) =>
        (await RunAsync(Consume(consumer, shape)))[0];

    private Task<IReadOnlyList<LoadResult>> RunAsync(params IBenchLoad[] loads) =>
        new BenchRun(_clock).RunAsync(new BenchPhase("test", TimeSpan.Zero, TimeSpan.FromSeconds(1), loads), null, default);
}
