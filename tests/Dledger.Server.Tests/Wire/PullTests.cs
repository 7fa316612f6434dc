using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>PullMessage and the offset RPCs (conformance checklist, 64).</summary>
public sealed class PullTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task A_pull_answers_with_a_status_the_messages_and_the_next_offset()
    {
        var topic = await TopicWithAsync(3);

        var frames = await PullAsync(topic, offset: 1);

        Assert.Equal(Code.Ok, frames[0].Status.Code);
        Assert.Equal(["b1", "b2"], frames[1..^1].Select(frame => frame.Message.Body.ToStringUtf8()));
        Assert.All(frames[1..^1], frame => Assert.False(frame.Message.SystemProperties.HasReceiptHandle));
        Assert.Equal([1L, 2], frames[1..^1].Select(frame => frame.Message.SystemProperties.QueueOffset));
        Assert.Equal(3, frames[^1].NextOffset);
    }

    [Fact]
    public async Task A_pull_at_the_end_waits_for_a_message()
    {
        var topic = await TopicWithAsync(1);
        var waiting = PullAsync(topic, offset: 1, seconds: 20);

        await Client.SendAsync(Client.Message(topic, "late"));

        var frames = await waiting;
        Assert.Equal("late", frames[1].Message.Body.ToStringUtf8());
        Assert.Equal(2, frames[^1].NextOffset);
    }

    [Fact]
    public async Task A_pull_that_finds_nothing_says_where_to_go_on()
    {
        var topic = await TopicWithAsync(2);

        var frames = await PullAsync(topic, offset: 0, filter: "none");

        Assert.Equal(Code.MessageNotFound, frames[0].Status.Code);
        Assert.Equal(2, frames[1].NextOffset);
        Assert.Equal(2, frames.Count);
    }

    [Fact]
    public async Task An_offset_outside_of_the_queue_is_illegal_and_the_nearest_comes_along()
    {
        var topic = await TopicWithAsync(2);

        var frames = await PullAsync(topic, offset: 7);

        Assert.Equal(Code.IllegalOffset, frames[0].Status.Code);
        Assert.Contains("0 to 2", frames[0].Status.Message, StringComparison.Ordinal);
        Assert.Equal(2, frames[1].NextOffset);
    }

    [Fact]
    public async Task An_offset_is_not_found_then_set_then_read_and_the_group_goes_on_there()
    {
        var topic = await TopicWithAsync(3);
        var group = await shared.NewGroupAsync();

        var before = await GetAsync(topic, group);
        var set = await UpdateAsync(topic, group, 2);
        var after = await GetAsync(topic, group);

        Assert.Equal(Code.OffsetNotFound, before.Status.Code);
        Assert.Equal(Code.Ok, set.Status.Code);
        Assert.Equal((Code.Ok, 2L), (after.Status.Code, after.Offset));
        Assert.Equal("b2", Assert.Single(await Client.ReceiveAsync(topic, group)).Body.ToStringUtf8());
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(4L)]
    public async Task An_offset_that_cannot_be_set_is_illegal_and_names_the_bounds(long offset)
    {
        var topic = await TopicWithAsync(3);
        var group = await shared.NewGroupAsync();

        var response = await UpdateAsync(topic, group, offset);

        Assert.Equal(Code.IllegalOffset, response.Status.Code);
        Assert.Contains("0 to 3", response.Status.Message, StringComparison.Ordinal);
        Assert.Equal(Code.OffsetNotFound, (await GetAsync(topic, group)).Status.Code);
    }

    [Fact]
    public async Task Begin_end_and_times_of_a_queue_have_offsets()
    {
        var topic = await TopicWithAsync(2);

        Assert.Equal(0, await QueryAsync(topic, QueryOffsetPolicy.Beginning));
        Assert.Equal(2, await QueryAsync(topic, QueryOffsetPolicy.End));
        Assert.Equal(0, await QueryAsync(topic, QueryOffsetPolicy.Timestamp, DateTime.UtcNow.AddHours(-1)));
        Assert.Equal(2, await QueryAsync(topic, QueryOffsetPolicy.Timestamp, DateTime.UtcNow.AddHours(1)));
    }

    [Fact]
    public async Task Wrong_names_queues_and_policies_have_codes_of_their_own()
    {
        var topic = await TopicWithAsync(1);
        var group = await shared.NewGroupAsync();
        var options = Client.Options();

        Assert.Equal(Code.TopicNotFound, (await GetAsync("missing", group)).Status.Code);
        Assert.Equal(Code.ConsumerGroupNotFound, (await GetAsync(topic, "missing")).Status.Code);
        Assert.Equal(Code.IllegalTopic, (await GetAsync("a b", group)).Status.Code);
        Assert.Equal(Code.IllegalConsumerGroup, (await PullAsync(topic, 0, group: "a b"))[0].Status.Code);
        var noQueue = await Client.Messaging.QueryOffsetAsync(
            new QueryOffsetRequest { MessageQueue = Queue(topic, id: 1), QueryOffsetPolicy = QueryOffsetPolicy.End },
            options);
        Assert.Equal(Code.BadRequest, noQueue.Status.Code);
        var noTime = await Client.Messaging.QueryOffsetAsync(
            new QueryOffsetRequest { MessageQueue = Queue(topic), QueryOffsetPolicy = QueryOffsetPolicy.Timestamp },
            options);
        Assert.Equal(Code.BadRequest, noTime.Status.Code);
        Assert.Contains("timestamp", noTime.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_does_not_lead_passes_pulls_and_offsets_on()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.LeaderAsync();
        var follower = cluster.Client(await cluster.FollowerAsync());
        await follower.QueryRouteAsync("orders");
        var sent = await follower.SendAsync(follower.Message("orders", "m"));
        var queue = Queue("orders", (await EndOfEachAsync(follower)).IndexOf(1));

        var frames = await PullAsync(queue, 0, follower);

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal("m", frames[1].Message.Body.ToStringUtf8());
        Assert.Equal(1, frames[^1].NextOffset);
    }

    private static MessageQueue Queue(string topic, int id = 0) =>
        new() { Topic = TestClient.Resource(topic), Id = id };

    private async Task<string> TopicWithAsync(int count)
    {
        var topic = await shared.NewTopicAsync();
        for (var i = 0; i < count; i++)
        {
            await Client.SendAsync(Client.Message(topic, $"b{i}"));
        }

        return topic;
    }

    // The queue that a message goes to is the server's choice.
    private static async Task<List<long>> EndOfEachAsync(TestClient client)
    {
        var ends = new List<long>();
        for (var id = 0; id < (await client.QueryRouteAsync("orders")).MessageQueues.Count; id++)
        {
            var end = await client.Messaging.QueryOffsetAsync(
                new QueryOffsetRequest { MessageQueue = Queue("orders", id), QueryOffsetPolicy = QueryOffsetPolicy.End },
                client.Options());
            Assert.Equal(Code.Ok, end.Status.Code);
            ends.Add(end.Offset);
        }

        return ends;
    }

    private Task<List<PullMessageResponse>> PullAsync(
        string topic, long offset, string filter = "*", double seconds = 0, string group = "reader") =>
        PullAsync(Queue(topic), offset, Client, filter, seconds, group);

    private static async Task<List<PullMessageResponse>> PullAsync(
        MessageQueue queue,
        long offset,
        TestClient client,
        string filter = "*",
        double seconds = 0,
        string group = "reader")
    {
        var request = new PullMessageRequest
        {
            Group = TestClient.Resource(group),
            MessageQueue = queue,
            Offset = offset,
            BatchSize = 32,
            FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = filter },
            LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)),
        };
        var frames = new List<PullMessageResponse>();
        using var call = client.Messaging.PullMessage(request, client.Options());
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            frames.Add(call.ResponseStream.Current);
        }

        return frames;
    }

    private async Task<GetOffsetResponse> GetAsync(string topic, string group) => await Client.Messaging.GetOffsetAsync(
        new GetOffsetRequest { Group = TestClient.Resource(group), MessageQueue = Queue(topic) }, Client.Options());

    private async Task<UpdateOffsetResponse> UpdateAsync(string topic, string group, long offset) =>
        await Client.Messaging.UpdateOffsetAsync(
            new UpdateOffsetRequest
            {
                Group = TestClient.Resource(group),
                MessageQueue = Queue(topic),
                Offset = offset,
            },
            Client.Options());

    private async Task<long> QueryAsync(string topic, QueryOffsetPolicy policy, DateTime? time = null)
    {
        var request = new QueryOffsetRequest { MessageQueue = Queue(topic), QueryOffsetPolicy = policy };
        if (time is { } at)
        {
            request.Timestamp = Timestamp.FromDateTime(at);
        }

        var response = await Client.Messaging.QueryOffsetAsync(request, Client.Options());
        Assert.Equal(Code.Ok, response.Status.Code);
        return response.Offset;
    }
}
