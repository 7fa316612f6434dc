using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Server.Tests.Wire;

public sealed class TelemetryTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Headers_arrive_before_any_frame_was_sent()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());

        await stream.ResponseHeadersAsync.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_producer_gets_its_settings_back_with_a_positive_body_size_and_an_exponential_backoff()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());
        var sent = Producer();

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = sent });
        var command = await NextAsync(stream);

        Assert.Equal(Code.Ok, command.Status.Code);
        var settings = command.Settings;
        Assert.Equal(sent.ClientType, settings.ClientType);
        Assert.Equal(sent.AccessPoint, settings.AccessPoint);
        Assert.Equal(sent.UserAgent, settings.UserAgent);
        Assert.Equal(sent.RequestTimeout, settings.RequestTimeout);
        Assert.Equal(sent.Publishing.Topics, settings.Publishing.Topics);
        Assert.Equal(4_194_304 - 65_536, settings.Publishing.MaxBodySize);
        Assert.True(settings.Publishing.ValidateMessageType);
        Assert.Equal(3, settings.BackoffPolicy.MaxAttempts);
        Assert.NotNull(settings.BackoffPolicy.ExponentialBackoff.Initial);
        Assert.NotNull(settings.BackoffPolicy.ExponentialBackoff.Max);
        Assert.Equal(2, settings.BackoffPolicy.ExponentialBackoff.Multiplier);
        Assert.False(settings.Metric.On);
        Assert.NotEmpty(settings.Metric.Endpoints.Addresses);
    }

    [Theory]
    [InlineData(Language.Java, RetryPolicy.StrategyOneofCase.CustomizedBackoff)]
    [InlineData(Language.Python, RetryPolicy.StrategyOneofCase.CustomizedBackoff)]
    [InlineData(Language.NodeJs, RetryPolicy.StrategyOneofCase.ExponentialBackoff)]
    public async Task A_push_consumer_gets_the_backoff_that_its_library_understands(
        Language language, RetryPolicy.StrategyOneofCase expected)
    {
        var group = await shared.NewGroupAsync(fifo: true, maxAttempts: 5);
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());
        var sent = Consumer(group, language);

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = sent });
        var settings = (await NextAsync(stream)).Settings;

        Assert.Equal(sent.Subscription.Group, settings.Subscription.Group);
        Assert.Equal(sent.Subscription.Subscriptions, settings.Subscription.Subscriptions);
        Assert.True(settings.Subscription.Fifo);
        Assert.Equal(32, settings.Subscription.ReceiveBatchSize);
        Assert.InRange(settings.Subscription.LongPollingTimeout.Seconds, 1, 20);
        Assert.Equal(0, settings.Subscription.LongPollingTimeout.Nanos);
        Assert.Equal(5, settings.BackoffPolicy.MaxAttempts);
        Assert.Equal(expected, settings.BackoffPolicy.StrategyCase);
        if (expected == RetryPolicy.StrategyOneofCase.CustomizedBackoff)
        {
            Assert.Equal(18, settings.BackoffPolicy.CustomizedBackoff.Next.Count);
            Assert.Equal(1, settings.BackoffPolicy.CustomizedBackoff.Next[0].Seconds);
        }
    }

    [Fact]
    public async Task A_group_that_nobody_created_has_seventeen_attempts_and_no_order()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Consumer("nobody", Language.Java) });
        var settings = (await NextAsync(stream)).Settings;

        Assert.Equal(17, settings.BackoffPolicy.MaxAttempts);
        Assert.False(settings.Subscription.Fifo);
    }

    [Fact]
    public async Task The_first_answer_is_repeated_twice_and_a_later_frame_is_answered_as_well()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Producer("first") });
        List<TelemetryCommand> answers = [await NextAsync(stream), await NextAsync(stream), await NextAsync(stream)];
        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Producer("second") });
        answers.Add(await NextAsync(stream));

        Assert.Equal(
            ["first", "first", "first", "second"],
            answers.Select(answer => Assert.Single(answer.Settings.Publishing.Topics).Name));
        Assert.All(answers, answer => Assert.Equal(Code.Ok, answer.Status.Code));
    }

    [Fact]
    public async Task Settings_without_a_role_end_the_stream_with_invalid_argument()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = new Settings() });
        var failure = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Theory]
    [InlineData("1key", "value")]
    [InlineData("key", null)]
    public async Task Client_properties_beyond_their_limits_end_the_stream(string key, string? value)
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());
        var settings = Producer();
        settings.ClientProperties[key] = value ?? new string('v', 257);

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = settings });
        var failure = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains(nameof(Code.InvalidClientProperties), failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_illegal_topic_in_the_settings_ends_the_stream()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());

        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Producer("a b") });
        var failure = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Fact]
    public async Task A_half_close_of_the_client_ends_the_stream_with_ok()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());
        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Producer() });
        await NextAsync(stream);

        await stream.RequestStream.CompleteAsync();
        while (await stream.ResponseStream.MoveNext(CancellationToken.None))
        {
            // Repeats that were on the way.
        }

        Assert.Equal(StatusCode.OK, stream.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Replies_to_commands_that_nobody_gave_are_ignored()
    {
        using var stream = shared.Client.Messaging.Telemetry(shared.Client.Options());

        await stream.RequestStream.WriteAsync(new TelemetryCommand());
        await stream.RequestStream.WriteAsync(new TelemetryCommand { ThreadStackTrace = new ThreadStackTrace() });
        await stream.RequestStream.WriteAsync(new TelemetryCommand
        {
            Status = new Apache.Rocketmq.V2.Status { Code = Code.NotImplemented },
            VerifyMessageCommand = new VerifyMessageCommand { Nonce = "n" },
        });
        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Producer() });

        Assert.Equal(Code.Ok, (await NextAsync(stream)).Status.Code);
    }

    [Theory]
    [InlineData("31535999M")]
    [InlineData("99999999H")]
    [InlineData("31536000S")]
    [InlineData("8760H")]
    public async Task A_deadline_beyond_all_reason_keeps_the_stream_open(string timeout)
    {
        using var raw = new RawCall(
            shared.Client.Port, "Telemetry", ("grpc-timeout", timeout), ("x-mq-client-id", "c"));

        await raw.WriteAsync(new TelemetryCommand { Settings = Producer() });
        var answer = await raw.ReadAsync(TelemetryCommand.Parser);
        var repeated = await raw.ReadAsync(TelemetryCommand.Parser);

        Assert.Equal(Code.Ok, answer.Status.Code);
        Assert.Equal(Code.Ok, repeated.Status.Code);
    }

    [Fact]
    public async Task Without_a_client_id_the_stream_says_so_and_ends()
    {
        using var stream = shared.Client.Messaging.Telemetry();

        var command = await NextAsync(stream);

        Assert.Equal(Code.ClientIdRequired, command.Status.Code);
        Assert.False(await stream.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_node_that_stops_ends_its_streams_at_once()
    {
        var node = await TestNode.StartAsync();
        using var stream = node.Client.Messaging.Telemetry(node.Client.Options());
        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Producer() });
        await NextAsync(stream);

        var stopping = node.Server.StopAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await NextAsync(stream);
            }
        });
        await stopping.WaitAsync(Patience);
        await node.DisposeAsync();

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private static async Task<TelemetryCommand> NextAsync(
        AsyncDuplexStreamingCall<TelemetryCommand, TelemetryCommand> stream)
    {
        Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        return stream.ResponseStream.Current;
    }

    private Settings Producer(string topic = "orders") => new()
    {
        ClientType = ClientType.Producer,
        AccessPoint = shared.Client.AccessPoint(),
        RequestTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)),
        UserAgent = new UA { Language = Language.Java, Version = "5" },
        Publishing = new Publishing { Topics = { TestClient.Resource(topic) } },
    };

    private Settings Consumer(string group, Language language) => new()
    {
        ClientType = ClientType.PushConsumer,
        AccessPoint = shared.Client.AccessPoint(),
        UserAgent = new UA { Language = language },
        Subscription = new Subscription
        {
            Group = TestClient.Resource(group),
            Subscriptions =
            {
                new SubscriptionEntry
                {
                    Topic = TestClient.Resource("orders"),
                    Expression = new FilterExpression { Type = FilterType.Tag, Expression = "a || b" },
                },
            },
        },
    };
}
