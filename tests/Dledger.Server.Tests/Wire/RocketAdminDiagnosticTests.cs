using System.Diagnostics;
using Apache.Rocketmq.V2;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration: what clients are asked to do.</summary>
public sealed class RocketAdminDiagnosticTests(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task A_client_prints_its_threads()
    {
        var (client, topic, group) = await PrepareAsync();
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, Trace);

        var ofGroup = await PrintAsync(client.ClientId, group);
        var ofAny = await PrintAsync(client.ClientId, "");

        Assert.Equal(Code.Ok, ofGroup.Status.Code);
        Assert.Equal("main: waiting", ofGroup.ThreadStackTrace);
        Assert.Equal("main: waiting", ofAny.ThreadStackTrace);
        Assert.Equal(2, stream.Commands.Select(command => command.PrintThreadStackTraceCommand.Nonce).Distinct().Count());
    }

    [Fact]
    public async Task An_answer_to_another_question_is_not_taken()
    {
        var (client, topic, group) = await PrepareAsync();
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, command =>
        [
            new TelemetryCommand
            {
                Status = new Status { Code = Code.Ok },
                ThreadStackTrace = new ThreadStackTrace { Nonce = "another", ThreadStackTrace_ = "stale" },
            },
            .. Trace(command),
        ]);

        var response = await PrintAsync(client.ClientId, group);

        Assert.Equal("main: waiting", response.ThreadStackTrace);
    }

    [Fact]
    public async Task A_client_that_keeps_silent_is_given_up_after_three_seconds()
    {
        var (client, topic, group) = await PrepareAsync();
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, _ => []);
        var clock = Stopwatch.StartNew();

        var response = await PrintAsync(client.ClientId, group);

        Assert.Equal(Code.ProxyTimeout, response.Status.Code);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(8));
        Assert.False(response.HasThreadStackTrace);
    }

    [Fact]
    public async Task A_client_that_goes_while_it_is_asked_is_not_waited_for()
    {
        var (client, topic, group) = await PrepareAsync();
        RocketAdminStream? stream = null;
        stream = await RocketAdminStream.OpenAsync(client, group, topic, _ =>
        {
            stream!.Dispose();
            return [];
        });
        var clock = Stopwatch.StartNew();

        var response = await PrintAsync(client.ClientId, group);

        Assert.Equal(Code.ProxyTimeout, response.Status.Code);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2.9));
    }

    [Fact]
    public async Task A_client_that_is_not_connected_or_of_another_group_is_not_found()
    {
        var (client, topic, group) = await PrepareAsync();
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, Trace);

        var absent = await PrintAsync("nobody", group);
        var other = await PrintAsync(client.ClientId, "other");

        Assert.Equal(Code.NotFound, absent.Status.Code);
        Assert.Contains("'nobody'", absent.Status.Message, StringComparison.Ordinal);
        Assert.Equal(Code.NotFound, other.Status.Code);
        Assert.Contains("'other'", other.Status.Message, StringComparison.Ordinal);
        Assert.Empty(stream.Commands);
    }

    [Fact]
    public async Task A_client_tries_a_message_and_its_verdict_is_the_answer()
    {
        var (client, topic, group) = await PrepareAsync();
        var sent = shared.Client.Message(topic, "try me");
        await shared.Client.SendAsync(sent);
        using var stream = await RocketAdminStream.OpenAsync(
            client, group, topic, command => Verdict(command, Code.Ok));

        var response = await VerifyAsync(client.ClientId, group, topic, sent.SystemProperties.MessageId);

        Assert.Equal(Code.Ok, response.Status.Code);
        var tried = Assert.Single(stream.Commands).VerifyMessageCommand.Message;
        Assert.Equal("try me", tried.Body.ToStringUtf8());
        Assert.Equal(sent.SystemProperties.MessageId, tried.SystemProperties.MessageId);
        Assert.Equal(topic, tried.Topic.Name);
        Assert.NotEmpty(tried.SystemProperties.BodyDigest.Checksum);
    }

    [Theory]
    [InlineData(Code.FailedToConsumeMessage)]
    [InlineData(Code.VerifyFifoMessageUnsupported)]
    public async Task A_verdict_of_failure_reaches_the_operator(Code verdict)
    {
        var (client, topic, group) = await PrepareAsync();
        var sent = shared.Client.Message(topic);
        await shared.Client.SendAsync(sent);
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, command => Verdict(command, verdict));

        var response = await VerifyAsync(client.ClientId, group, topic, sent.SystemProperties.MessageId);

        Assert.Equal(verdict, response.Status.Code);
    }

    [Fact]
    public async Task A_client_that_sends_the_command_back_says_that_it_cannot()
    {
        var (client, topic, group) = await PrepareAsync();
        var sent = shared.Client.Message(topic);
        await shared.Client.SendAsync(sent);
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, command =>
        [
            new TelemetryCommand
            {
                Status = new Status { Code = Code.NotImplemented },
                VerifyMessageCommand = new VerifyMessageCommand { Nonce = command.VerifyMessageCommand.Nonce },
            },
        ]);

        var response = await VerifyAsync(client.ClientId, group, topic, sent.SystemProperties.MessageId);

        Assert.Equal(Code.NotImplemented, response.Status.Code);
    }

    [Fact]
    public async Task A_message_that_is_not_there_is_not_tried()
    {
        var (client, topic, group) = await PrepareAsync();
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, command => Verdict(command, Code.Ok));

        var response = await VerifyAsync(client.ClientId, group, topic, "absent");

        Assert.Equal(Code.NotFound, response.Status.Code);
        Assert.Empty(stream.Commands);
    }

    internal static IEnumerable<TelemetryCommand> Trace(TelemetryCommand command) =>
    [
        new TelemetryCommand
        {
            Status = new Status { Code = Code.Ok },
            ThreadStackTrace = new ThreadStackTrace
            {
                Nonce = command.PrintThreadStackTraceCommand.Nonce,
                ThreadStackTrace_ = "main: waiting",
            },
        },
    ];

    internal static IEnumerable<TelemetryCommand> Verdict(TelemetryCommand command, Code verdict) =>
    [
        new TelemetryCommand
        {
            Status = new Status { Code = verdict },
            VerifyMessageResult = new VerifyMessageResult { Nonce = command.VerifyMessageCommand.Nonce },
        },
    ];

    private async Task<PrintThreadStackTraceResponse> PrintAsync(string clientId, string group) =>
        await shared.Client.RocketAdmin.PrintThreadStackTraceAsync(
            new() { ClientId = clientId, Group = TestClient.Resource(group) }, shared.Client.Options());

    private async Task<VerifyMessageResponse> VerifyAsync(string clientId, string group, string topic, string messageId) =>
        await shared.Client.RocketAdmin.VerifyMessageAsync(
            new()
            {
                ClientId = clientId,
                Group = TestClient.Resource(group),
                Topic = TestClient.Resource(topic),
                MessageId = messageId,
            },
            shared.Client.Options());

    private async Task<(TestClient Client, string Topic, string Group)> PrepareAsync()
    {
        var group = await shared.NewGroupAsync();
        return (new TestClient(shared.Client.Port, $"client-of-{group}"), await shared.NewTopicAsync(), group);
    }
}
