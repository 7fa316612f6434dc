using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration, asked about one lite topic.</summary>
public sealed class RocketAdminLiteTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private Admin.AdminClient Admin => shared.Client.RocketAdmin;

    [Fact]
    public async Task The_backlog_of_a_lite_topic_is_told_from_that_of_its_parent()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(topic, "one", "a");
        await SendAsync(topic, "one", "b");
        await SendAsync(topic, "two", "c");
        await SyncAsync(shared.Client, topic, group, "one", "two");
        await shared.Client.ReceiveAsync(topic, group, request =>
        {
            request.MessageQueue.Id = -1;
            request.BatchSize = 1;
        });

        var answer = await Admin.DescribeGroupAccumulationAsync(
            new() { Group = Resource(group), Topics = { Resource(topic) }, LiteTopic = "one" }, Options());

        Assert.Equal(Code.Ok, answer.Status.Code);
        Assert.Equal(3, answer.TopicAccumulation[topic].Accumulation);
        var (name, lite) = Assert.Single(answer.LiteTopicAccumulation);
        Assert.Equal(("one", 2), (name, lite.Accumulation));
        Assert.NotNull(lite.DeliverDelayTime);
    }

    [Fact]
    public async Task Only_clients_that_have_a_lite_topic_in_their_sets_are_its_connections()
    {
        var (topic, group) = await PrepareAsync();
        using var other = new TestClient(shared.Client.Port, $"other-of-{group}");
        await SendAsync(topic, "one", "a");
        await SyncAsync(shared.Client, topic, group, "one");
        await SyncAsync(other, topic, group, "two");
        await other.ReceiveAsync(topic, group, request => request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)));

        var answer = await Admin.ListConsumerConnectionAsync(
            new() { Group = Resource(group), Topic = Resource(topic), LiteTopic = "one" }, Options());
        var all = await Admin.ListConsumerConnectionAsync(new() { Group = Resource(group), Topic = Resource(topic) }, Options());

        Assert.Equal(Code.Ok, answer.Status.Code);
        Assert.NotEqual($"other-of-{group}", Assert.Single(answer.ClientInfo).ClientId);
        Assert.Contains(all.ClientInfo, client => client.ClientId == $"other-of-{group}");
    }

    [Fact]
    public async Task The_messages_of_a_lite_topic_are_found_by_time_page_after_page()
    {
        var (topic, _) = await PrepareAsync();
        await SendAsync(topic, "one", "a");
        await SendAsync(topic, "two", "b");
        await SendAsync(topic, "one", "c");
        var request = new ListMessageRequest
        {
            Topic = Resource(topic),
            LiteTopic = "one",
            BeginTimestamp = new Timestamp(),
            EndTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddHours(1)),
            MaxMessageNums = 1,
        };

        var first = await Admin.QueryMessageAsync(request, Options());
        request.ScrollId = first.ScrollId;
        var second = await Admin.QueryMessageAsync(request, Options());

        Assert.Equal(["a", "c"], first.Messages.Concat(second.Messages).Select(message => message.Body.ToStringUtf8()));
        Assert.All(first.Messages, message => Assert.Equal("one", message.SystemProperties.LiteTopic));
        Assert.Empty(second.ScrollId);
    }

    [Fact]
    public async Task A_lite_topic_that_is_not_there_is_not_found_by_any_of_them()
    {
        var (topic, group) = await PrepareAsync();

        var answers = await AskAsync(topic, group);

        Assert.All(answers, answer => Assert.Equal(Code.TopicNotFound, answer.Code));
        Assert.All(answers, answer => Assert.Contains("has no lite topic 'none'", answer.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lite_topic_of_a_topic_of_another_type_is_refused_by_all_of_them()
    {
        var (_, group) = await PrepareAsync();

        var answers = await AskAsync(await shared.NewTopicAsync(), group);

        Assert.All(answers, answer => Assert.Equal(Code.BadRequest, answer.Code));
        Assert.All(answers, answer => Assert.Contains("not of type LITE", answer.Message, StringComparison.Ordinal));
    }

    private async Task<Status[]> AskAsync(string topic, string group) =>
    [
        (await Admin.DescribeGroupAccumulationAsync(
            new() { Group = Resource(group), Topics = { Resource(topic) }, LiteTopic = "none" }, Options())).Status,
        (await Admin.ListConsumerConnectionAsync(
            new() { Group = Resource(group), Topic = Resource(topic), LiteTopic = "none" }, Options())).Status,
        (await Admin.QueryMessageAsync(
            new()
            {
                Topic = Resource(topic),
                LiteTopic = "none",
                BeginTimestamp = new Timestamp(),
                EndTimestamp = Timestamp.FromDateTime(DateTime.UtcNow),
            },
            Options())).Status,
    ];

    private static Resource Resource(string name) => TestClient.Resource(name);

    private static async Task SyncAsync(TestClient client, string topic, string group, params string[] names)
    {
        var request = new SyncLiteSubscriptionRequest
        {
            Action = LiteSubscriptionAction.CompleteAdd,
            Topic = Resource(topic),
            Group = Resource(group),
            LiteTopicSet = { names },
        };
        Assert.Equal(Code.Ok, (await client.Messaging.SyncLiteSubscriptionAsync(request, client.Options())).Status.Code);
    }

    private async Task SendAsync(string topic, string lite, string body) =>
        Assert.Equal(Code.Ok, (await shared.Client.SendAsync(shared.Client.Message(topic, body, message =>
        {
            message.SystemProperties.MessageType = MessageType.Lite;
            message.SystemProperties.LiteTopic = lite;
        }))).Status.Code);

    private Grpc.Core.CallOptions Options() => shared.Client.Options();

    private async Task<(string Topic, string Group)> PrepareAsync()
    {
        var (topic, group) = (SharedNode.NewName("lites"), SharedNode.NewName("group"));
        var created = await shared.Client.Admin.CreateTopicAsync(
            new CreateTopicRequest { Topic = new Topic { Name = topic, AcceptMessageTypes = { MessageType.Lite } } }, Options());
        var made = await shared.Client.Admin.CreateGroupAsync(new CreateGroupRequest { Group = new Group { Name = group } }, Options());
        Assert.Equal((AdminCode.AdminOk, AdminCode.AdminOk), (created.Status.Code, made.Status.Code));
        return (topic, group);
    }
}
