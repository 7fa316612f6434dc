using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Grpc.Core;

namespace Dledger.Conformance.Tests.Items;

public sealed class TelemetryItems(SharedNode shared) : IClassFixture<SharedNode>
{
    /// <summary>The checklist says one second; clients give up after three. A busy machine gets the difference.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Item_13_headers_arrive_before_any_frame()
    {
        using var stream = new TelemetryStream(shared.Client);

        await stream.Call.ResponseHeadersAsync.WaitAsync(AtOnce);
    }

    [Fact]
    public async Task Item_14_a_producer_gets_complete_settings_at_once()
    {
        var topic = await shared.NewTopicAsync();
        using var stream = new TelemetryStream(shared.Client);
        var sent = stream.Producer(topic);
        var clock = Stopwatch.StartNew();

        await stream.SendAsync(sent);
        var command = await stream.NextAsync();

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, AtOnce);
        Assert.Equal(Code.Ok, command.Status.Code);
        Assert.Equal(sent.ClientType, command.Settings.ClientType);
        Assert.Equal(sent.AccessPoint, command.Settings.AccessPoint);
        Assert.Equal(sent.Publishing.Topics, command.Settings.Publishing.Topics);
        Assert.InRange(command.Settings.Publishing.MaxBodySize, 1, 4_194_304);
        var backoff = command.Settings.BackoffPolicy.ExponentialBackoff;
        Assert.NotNull(backoff.Initial);
        Assert.NotNull(backoff.Max);
        Assert.InRange(backoff.Multiplier, 1, 10);
        Assert.False(command.Settings.Metric.On);
    }

    [Theory]
    [InlineData(Language.Java, false, RetryPolicy.StrategyOneofCase.CustomizedBackoff)]
    [InlineData(Language.Python, true, RetryPolicy.StrategyOneofCase.CustomizedBackoff)]
    [InlineData(Language.NodeJs, true, RetryPolicy.StrategyOneofCase.ExponentialBackoff)]
    public async Task Item_15_a_push_consumer_gets_what_its_library_understands(
        Language language, bool fifo, RetryPolicy.StrategyOneofCase expected)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync(fifo);
        using var stream = new TelemetryStream(shared.Client);
        var sent = stream.PushConsumer(group, topic, language);

        await stream.SendAsync(sent);
        var settings = (await stream.NextAsync()).Settings;

        Assert.Equal(sent.Subscription.Group, settings.Subscription.Group);
        Assert.Equal(sent.Subscription.Subscriptions, settings.Subscription.Subscriptions);
        Assert.Equal(fifo, settings.Subscription.Fifo);
        Assert.Equal(32, settings.Subscription.ReceiveBatchSize);
        Assert.InRange(settings.Subscription.LongPollingTimeout.Seconds, 1, 20);
        Assert.Equal(0, settings.Subscription.LongPollingTimeout.Nanos);
        Assert.Equal(expected, settings.BackoffPolicy.StrategyCase);
        if (expected == RetryPolicy.StrategyOneofCase.CustomizedBackoff)
        {
            Assert.NotEmpty(settings.BackoffPolicy.CustomizedBackoff.Next);
        }
    }

    [Fact]
    public async Task Item_16_later_settings_are_answered_again()
    {
        using var stream = new TelemetryStream(shared.Client);
        await stream.SendAsync(stream.Producer("first"));
        await stream.NextAsync();

        await stream.SendAsync(stream.Producer("second"));
        var answer = await stream.NextAsync(command => command.Settings?.Publishing?.Topics is [{ Name: "second" }]);

        Assert.Equal(Code.Ok, answer.Status.Code);
    }

    [Fact]
    public async Task Item_17_the_first_settings_are_repeated_after_about_a_second()
    {
        using var stream = new TelemetryStream(shared.Client);
        await stream.SendAsync(stream.Producer("first", "second"));
        var first = await stream.NextAsync();
        var clock = Stopwatch.StartNew();

        var again = await stream.NextAsync();

        Assert.InRange(clock.Elapsed, TimeSpan.FromMilliseconds(500), AtOnce);
        Assert.Equal(first, again);
    }

    [Fact]
    public async Task Item_18_settings_without_a_role_end_the_stream()
    {
        using var stream = new TelemetryStream(shared.Client);

        await stream.SendAsync(new Settings());
        var failure = await Assert.ThrowsAsync<RpcException>(() => stream.NextAsync());

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Fact]
    public async Task Item_19_a_half_close_of_the_client_ends_the_stream_with_ok()
    {
        using var stream = new TelemetryStream(shared.Client);
        await stream.SendAsync(stream.Producer("orders"));
        await stream.NextAsync();

        await stream.Call.RequestStream.CompleteAsync();
        while (await stream.Call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(15)))
        {
            // Settings that were on the way.
        }

        Assert.Equal(StatusCode.OK, stream.Call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Item_20_sending_and_receiving_need_no_telemetry_stream()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        using var client = shared.NewClient("DOTNET");

        var sent = await client.SendAsync(client.Message(topic));
        var received = Assert.Single(await client.ReceiveAsync(topic, group));
        var acked = await client.AckAsync(topic, group, received.SystemProperties.ReceiptHandle);

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(Code.Ok, acked.Status.Code);
    }

    [Fact]
    public async Task Item_62_replies_to_commands_that_nobody_gave_are_ignored()
    {
        using var stream = new TelemetryStream(shared.Client);
        TelemetryCommand[] replies =
        [
            new(),
            new() { ThreadStackTrace = new ThreadStackTrace() },
            new() { ThreadStackTrace = new ThreadStackTrace { Nonce = "unknown", ThreadStackTrace_ = "text" } },
            new() { VerifyMessageResult = new VerifyMessageResult() },
            new()
            {
                Status = new Apache.Rocketmq.V2.Status { Code = Code.NotImplemented },
                VerifyMessageCommand = new VerifyMessageCommand { Nonce = "n" },
            },
        ];

        foreach (var reply in replies)
        {
            await stream.Call.RequestStream.WriteAsync(reply);
        }

        await stream.SendAsync(stream.Producer("orders"));

        Assert.Equal(Code.Ok, (await stream.NextAsync()).Status.Code);
    }
}
