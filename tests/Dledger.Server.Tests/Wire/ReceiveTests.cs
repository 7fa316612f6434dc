using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Server.Tests.Wire;

public sealed class ReceiveTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(2)]
    public async Task Messages_of_every_queue_are_received_whatever_queue_was_asked(int askedQueue)
    {
        var topic = await shared.NewTopicAsync(4);
        var group = await shared.NewGroupAsync();
        for (var count = 0; count < 8; count++)
        {
            await Client.SendAsync(Client.Message(topic));
        }

        var queues = new HashSet<int>();
        var received = 0;
        while (received < 8)
        {
            var messages = await Client.ReceiveAsync(topic, group, request => request.MessageQueue.Id = askedQueue);
            Assert.NotEmpty(messages);
            received += messages.Count;
            queues.UnionWith(messages.Select(message => message.SystemProperties.QueueId));
        }

        Assert.Equal([0, 1, 2, 3], queues.Order());
    }

    [Fact]
    public async Task An_answer_is_one_status_then_the_messages_then_the_time_of_delivery()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await Client.SendAsync([.. Enumerable.Range(0, 5).Select(_ => Client.Message(topic))]);

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(topic, group, r => r.BatchSize = 3));

        Assert.Equal(
            [
                ReceiveMessageResponse.ContentOneofCase.Status,
                ReceiveMessageResponse.ContentOneofCase.Message,
                ReceiveMessageResponse.ContentOneofCase.Message,
                ReceiveMessageResponse.ContentOneofCase.Message,
                ReceiveMessageResponse.ContentOneofCase.DeliveryTimestamp,
            ],
            frames.Select(frame => frame.ContentCase));
        Assert.Equal(Code.Ok, frames[0].Status.Code);
        Assert.Equal([0L, 1L, 2L], frames.Skip(1).Take(3).Select(frame => frame.Message.SystemProperties.QueueOffset));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-7, 1)]
    [InlineData(1000, 32)]
    public async Task The_batch_size_is_taken_as_one_to_thirty_two(int asked, int expected)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await Client.SendAsync([.. Enumerable.Range(0, 40).Select(_ => Client.Message(topic))]);

        var messages = await Client.ReceiveAsync(topic, group, request => request.BatchSize = asked);

        Assert.Equal(expected, messages.Count);
    }

    [Fact]
    public async Task An_empty_poll_lasts_as_long_as_it_was_asked_to_and_says_that_nothing_came()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var clock = Stopwatch.StartNew();

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(
            topic, group, r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1))));

        Assert.InRange(clock.Elapsed, TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(10));
        Assert.Equal(2, frames.Count);
        Assert.Equal(Code.MessageNotFound, frames[0].Status.Code);
        Assert.Equal(ReceiveMessageResponse.ContentOneofCase.DeliveryTimestamp, frames[1].ContentCase);
    }

    [Fact]
    public async Task A_poll_without_a_time_of_its_own_ends_before_the_deadline_of_the_client_and_not_at_once()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var clock = Stopwatch.StartNew();

        var frames = await Client.ReceiveFramesAsync(
            Client.ReceiveRequest(topic, group, request => request.LongPollingTimeout = null),
            timeout: TimeSpan.FromSeconds(6));

        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(6));
        Assert.Equal(Code.MessageNotFound, frames[0].Status.Code);
    }

    [Fact]
    public async Task A_waiting_poll_is_answered_when_a_message_comes_to_any_queue()
    {
        var topic = await shared.NewTopicAsync(3);
        var group = await shared.NewGroupAsync();
        for (var count = 0; count < 3; count++)
        {
            var waiting = Client.ReceiveAsync(
                topic, group, r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(20)));
            var sent = await Client.SendAsync(Client.Message(topic, $"{count}"));

            var received = Assert.Single(await waiting.WaitAsync(TimeSpan.FromSeconds(15)));

            Assert.Equal($"{count}", received.Body.ToStringUtf8());
            Assert.Equal(Code.Ok, sent.Status.Code);
        }
    }

    [Fact]
    public async Task A_cancelled_poll_leaves_nothing_locked()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        using var cancel = new CancellationTokenSource();
        using (var call = Client.Messaging.ReceiveMessage(
            Client.ReceiveRequest(topic, group), Client.Options(cancellationToken: cancel.Token)))
        {
            var waiting = call.ResponseStream.MoveNext(CancellationToken.None);

            // An answered call behind the poll on the same connection: by now the poll has reached the server.
            await Client.Messaging.HeartbeatAsync(new HeartbeatRequest(), Client.Options());
            await cancel.CancelAsync();
            await Assert.ThrowsAsync<RpcException>(() => waiting);
        }

        await Client.SendAsync(Client.Message(topic));
        var received = await Client.ReceiveAsync(topic, group);

        Assert.Equal(1, Assert.Single(received).SystemProperties.DeliveryAttempt);
        var described = await Client.Admin.DescribeGroupAsync(
            new DescribeGroupRequest { Name = group }, Client.Options());
        Assert.Equal(1, described.Queues.Sum(queue => queue.InFlightCount));
    }

    [Theory]
    [InlineData("red || blue", new[] { "red", "blue" })]
    [InlineData("*", new[] { "red", "green", "blue", "" })]
    [InlineData("", new[] { "red", "green", "blue", "" })]
    [InlineData("RED", new string[0])]
    public async Task A_tag_filter_lets_through_what_it_names(string expression, string[] expected)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        foreach (var tag in new[] { "red", "green", "blue" })
        {
            await Client.SendAsync(Client.Message(topic, change: message => message.SystemProperties.Tag = tag));
        }

        await Client.SendAsync(Client.Message(topic));

        var received = await Client.ReceiveAsync(topic, group, request =>
        {
            request.FilterExpression.Expression = expression;
            request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
        });

        Assert.Equal(expected, received.Select(message => message.SystemProperties.Tag));
    }

    public static TheoryData<string, Code> Refusals => new()
    {
        { "no invisible duration", Code.IllegalInvisibleTime },
        { "an invisible duration of a millisecond", Code.IllegalInvisibleTime },
        { "an invisible duration above 12 hours", Code.IllegalInvisibleTime },
        { "an empty SQL filter", Code.IllegalFilterExpression },
        { "an SQL filter that is none", Code.IllegalFilterExpression },
        { "an unknown filter type", Code.IllegalFilterExpression },
        { "a filter of 4097 characters", Code.IllegalFilterExpression },
        { "a negative polling time", Code.IllegalPollingTime },
        { "an illegal topic", Code.IllegalTopic },
        { "no queue", Code.IllegalTopic },
        { "an illegal group", Code.IllegalConsumerGroup },
        { "a group of 121 characters", Code.IllegalConsumerGroup },
        { "another broker", Code.BadRequest },
        { "an attempt id of 256 bytes", Code.BadRequest },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_receive_beyond_a_limit_gets_its_code_and_nothing_else(string name, Code expected)
    {
        var topic = await shared.NewTopicAsync();

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(topic, "group", r => Break(r, name)));

        Assert.Equal(expected, Assert.Single(frames).Status.Code);
        Assert.NotEmpty(frames[0].Status.Message);
    }

    [Fact]
    public async Task A_hundred_and_more_waiting_polls_do_not_keep_a_call_of_the_same_connection_waiting()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        using var cancel = new CancellationTokenSource();
        var polls = Enumerable.Range(0, 200)
            .Select(_ => Client.Messaging.ReceiveMessage(
                Client.ReceiveRequest(
                    topic, group, r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(20))),
                Client.Options(TimeSpan.FromMinutes(1), cancel.Token)))
            .Select(call => call.ResponseStream.MoveNext(CancellationToken.None))
            .ToArray();

        var answer = await Client.Messaging.HeartbeatAsync(
            new HeartbeatRequest { ClientType = ClientType.Producer }, Client.Options(TimeSpan.FromSeconds(15)));
        await cancel.CancelAsync();
        await Task.WhenAll(polls.Select(poll => Assert.ThrowsAsync<RpcException>(() => poll)));

        Assert.Equal(Code.Ok, answer.Status.Code);
    }

    private static void Break(ReceiveMessageRequest request, string name)
    {
        switch (name)
        {
            case "no invisible duration":
                request.InvisibleDuration = null;
                break;
            case "an invisible duration of a millisecond":
                request.InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1));
                break;
            case "an invisible duration above 12 hours":
                request.InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromHours(12.1));
                break;
            case "an empty SQL filter":
                request.FilterExpression = new FilterExpression { Type = FilterType.Sql };
                break;
            case "an SQL filter that is none":
                request.FilterExpression = new FilterExpression { Type = FilterType.Sql, Expression = "a > 'x'" };
                break;
            case "an unknown filter type":
                request.FilterExpression = new FilterExpression { Type = (FilterType)7, Expression = "a" };
                break;
            case "a filter of 4097 characters":
                request.FilterExpression.Expression = new string('t', 4_097);
                break;
            case "a negative polling time":
                request.LongPollingTimeout = new Duration { Seconds = -1 };
                break;
            case "an illegal topic":
                request.MessageQueue.Topic.Name = "a b";
                break;
            case "no queue":
                request.MessageQueue = null;
                break;
            case "an illegal group":
                request.Group.Name = "CID_RMQ_SYS_x";
                break;
            case "a group of 121 characters":
                request.Group.Name = new string('g', 121);
                break;
            case "another broker":
                request.MessageQueue.Broker = new Apache.Rocketmq.V2.Broker { Name = "another" };
                break;
            default:
                request.AttemptId = new string('a', 256);
                break;
        }
    }
}
