using Apache.Rocketmq.V2;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration: each argument that breaks a rule is refused by name, and nothing changes.</summary>
public sealed class RocketAdminRefusalTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly Resource Topic = TestClient.Resource("orders");
    private static readonly Resource Group = TestClient.Resource("billing");
    private static readonly Resource Bad = TestClient.Resource("a b\n");
    private static readonly Timestamp Now = Timestamp.FromDateTime(DateTime.UtcNow);
    private static readonly Timestamp NoTime = new() { Seconds = long.MaxValue };
    private static readonly IReadOnlyDictionary<string, Refusal> Refusals = All().ToDictionary(refusal => refusal.Name);

    public static TheoryData<string> Names => [.. Refusals.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_broken_rule_is_refused_with_its_code_and_the_field(string name)
    {
        var refusal = Refusals[name];

        var status = await refusal.AskAsync(shared.Client.RocketAdmin, shared.Client.Options());

        Assert.Equal(refusal.Code, status.Code);
        Assert.Contains(refusal.Says, status.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', status.Message);
    }

    [Fact]
    public async Task A_refused_message_is_not_stored()
    {
        var topic = await shared.NewTopicAsync();

        var status = (await shared.Client.RocketAdmin.AdminSendMessageAsync(
            new() { Topic = TestClient.Resource(topic) }, shared.Client.Options())).Status;

        Assert.Equal(Code.MessageBodyEmpty, status.Code);
        Assert.Equal(0, await shared.StoredCountAsync(topic));
    }

    private static IEnumerable<Refusal> All() =>
    [
        .. TopicAndGroupRefusals(),
        .. MessageRefusals(),
        .. ClientRefusals(),
    ];

    private static IEnumerable<Refusal> TopicAndGroupRefusals() =>
    [
        Describe("topic of another deployment", Code.BadRequest, "deployment_name", new() { DeploymentName = "x\n", Topic = Topic }),
        Describe("no topic", Code.IllegalTopic, "'topic'", new()),
        Describe("topic with a bad character", Code.IllegalTopic, "'topic'", new() { Topic = Bad }),
        Describe("unknown topic", Code.TopicNotFound, "absent", new() { Topic = TestClient.Resource("absent") }),
        Route("route with a bad network", Code.BadRequest, "'network_type' is 9", new() { Topic = Topic, NetworkType = (GetTopicRouteRequest.Types.NetworkType)9 }),
        Route("route for remoting", Code.NotImplemented, "'grpc'", new() { Topic = Topic, ProtocolType = "remoting" }),
        Route("route for something else", Code.BadRequest, "'protocol_type'", new() { Topic = Topic, ProtocolType = "smtp" }),
        new("subscriptions of nothing", Code.BadRequest, "'topic' nor the field 'group'", async (admin, options) =>
            (await admin.ListSubscriptionAsync(new(), options)).Status),
        new("subscriptions of a bad group", Code.IllegalConsumerGroup, "'group'", async (admin, options) =>
            (await admin.ListSubscriptionAsync(new() { Group = Bad }, options)).Status),
        new("subscriptions of an unknown group", Code.ConsumerGroupNotFound, "absent", async (admin, options) =>
            (await admin.ListSubscriptionAsync(new() { Group = TestClient.Resource("absent") }, options)).Status),
        new("subscriptions of an unknown topic", Code.TopicNotFound, "absent", async (admin, options) =>
            (await admin.ListSubscriptionAsync(new() { Topic = TestClient.Resource("absent") }, options)).Status),
        new("clients of nothing", Code.BadRequest, "'topic' nor the field 'group'", async (admin, options) =>
            (await admin.DescribeSubscriptionAsync(new(), options)).Status),
        new("clients of an unknown topic", Code.TopicNotFound, "absent", async (admin, options) =>
            (await admin.DescribeSubscriptionAsync(new() { Topic = TestClient.Resource("absent") }, options)).Status),
        new("deleting a subscription", Code.NotImplemented, "dledger group", async (admin, options) =>
            (await admin.DeleteSubscriptionAsync(new() { Group = Group, Topic = Topic }, options)).Status),
        Accumulation("accumulation of no group", Code.IllegalConsumerGroup, "'group'", new()),
        Accumulation("accumulation of an unknown group", Code.ConsumerGroupNotFound, "absent", new() { Group = TestClient.Resource("absent") }),
        Accumulation("accumulation of a bad topic", Code.IllegalTopic, "'topic'", new() { Group = Group, Topics = { Bad } }),
        Accumulation("accumulation of too many topics", Code.BadRequest, "up to 256", new() { Group = Group, Topics = { Enumerable.Repeat(Topic, 257) } }),
        Accumulation("accumulation of a lite topic of no topic", Code.BadRequest, "'lite_topic'", new() { Group = Group, LiteTopic = "x" }),
        Accumulation("accumulation of a bad lite topic", Code.IllegalLiteTopic, "'lite_topic'", new() { Group = Group, Topics = { Topic }, LiteTopic = "x y" }),
        new("time span of no group", Code.IllegalConsumerGroup, "'group'", async (admin, options) =>
            (await admin.QueryTimeSpanAsync(new(), options)).Status),
        new("time span of an unknown group", Code.ConsumerGroupNotFound, "absent", async (admin, options) =>
            (await admin.QueryTimeSpanAsync(new() { Group = TestClient.Resource("absent") }, options)).Status),
        new("time span of too many topics", Code.BadRequest, "up to 256", async (admin, options) =>
            (await admin.QueryTimeSpanAsync(new() { Group = Group, Topics = { Enumerable.Repeat(Topic, 257) } }, options)).Status),
        Reset("reset without a time", Code.BadRequest, "'reset_timestamp'", new() { Group = Group, Topic = Topic }),
        Reset("reset to no time", Code.BadRequest, "'reset_timestamp'", new() { Group = Group, Topic = Topic, ResetTimestamp = NoTime }),
        Reset("reset without a group", Code.IllegalConsumerGroup, "'group'", new() { Topic = Topic, ResetTimestamp = Now }),
        Reset("reset without a topic", Code.IllegalTopic, "'topic'", new() { Group = Group, ResetTimestamp = Now }),
        Reset("reset in an unknown topic", Code.TopicNotFound, "absent", new() { Group = Group, Topic = TestClient.Resource("absent"), ResetTimestamp = Now }),
    ];

    private static IEnumerable<Refusal> MessageRefusals() =>
    [
        Messages("messages of no topic", Code.IllegalTopic, "'topic'", new() { MessageId = "m" }),
        Messages("messages without key and time", Code.BadRequest, "'begin_timestamp'", new() { Topic = Topic }),
        Messages("messages of an empty id", Code.BadRequest, "'message_id'", new() { Topic = Topic, MessageId = "" }),
        Messages("messages of an empty key", Code.BadRequest, "'message_key'", new() { Topic = Topic, MessageKey = "" }),
        Messages("messages of a subscription", Code.NotImplemented, "'message_key'", new() { Topic = Topic, Subscription = "s" }),
        Messages("messages of a lite topic without time", Code.BadRequest, "'begin_timestamp'", new() { Topic = Topic, LiteTopic = "l" }),
        Messages("messages of an empty lite topic", Code.BadRequest, "'lite_topic'", new() { Topic = Topic, LiteTopic = "" }),
        Messages("messages of a bad lite topic", Code.IllegalLiteTopic, "'lite_topic'", new() { Topic = Topic, LiteTopic = "a b", BeginTimestamp = Now, EndTimestamp = Now }),
        Messages("messages of a lite topic and a queue", Code.BadRequest, "'queue_id'", new() { Topic = Topic, LiteTopic = "l", QueueId = 0, BeginTimestamp = Now, EndTimestamp = Now }),
        Messages("messages from no time on", Code.BadRequest, "'begin_timestamp'", new() { Topic = Topic, BeginTimestamp = NoTime, EndTimestamp = Now }),
        Messages("messages until no time", Code.BadRequest, "'end_timestamp'", new() { Topic = Topic, BeginTimestamp = Now, EndTimestamp = NoTime }),
        Messages("messages of a turned range", Code.BadRequest, "lies behind", new() { Topic = Topic, BeginTimestamp = Now, EndTimestamp = new Timestamp() }),
        Messages("too many messages", Code.BadRequest, "1 to 1000", new() { Topic = Topic, MessageKey = "k", MaxMessageNums = 1001 }),
        Messages("less than no messages", Code.BadRequest, "'max_message_nums' is -1", new() { Topic = Topic, MessageKey = "k", MaxMessageNums = -1 }),
        Messages("an empty page", Code.BadRequest, "'page_size' is 0", new() { Topic = Topic, MessageKey = "k", PageSize = 0 }),
        Messages("page zero", Code.BadRequest, "'page_num' is 0", new() { Topic = Topic, MessageKey = "k", PageNum = 0 }),
        Messages("a page too far", Code.BadRequest, "1000", new() { Topic = Topic, MessageKey = "k", PageNum = int.MaxValue }),
        Messages("page and scroll", Code.BadRequest, "'scroll_id'", new() { Topic = Topic, MessageKey = "k", PageNum = 1, ScrollId = "k.1.2" }),
        Messages("a scroll of nobody", Code.BadRequest, "'scroll_id'", new() { Topic = Topic, MessageKey = "k", ScrollId = "k.-1.2" }),
        Messages("a scroll of another search", Code.BadRequest, "'scroll_id'", new() { Topic = Topic, MessageKey = "k", ScrollId = "t.0.0.5" }),
        Messages("another broker", Code.BadRequest, "'dledger-0'", new() { Topic = Topic, MessageKey = "k", BrokerName = "x" }),
        Messages("queue below zero", Code.BadRequest, "'queue_id' is -1", new() { Topic = Topic, MessageKey = "k", QueueId = -1 }),
        Messages("unknown topic by time", Code.TopicNotFound, "absent", new() { Topic = TestClient.Resource("absent"), BeginTimestamp = Now, EndTimestamp = Now }),
        Messages("unknown topic by key", Code.TopicNotFound, "absent", new() { Topic = TestClient.Resource("absent"), MessageKey = "k" }),
        Send("sending nowhere", Code.IllegalTopic, "'topic'", new() { Body = ByteString.CopyFromUtf8("b") }),
        Send("sending a transaction", Code.NotImplemented, "TRANSACTION", new()
        {
            Topic = Topic,
            Body = ByteString.CopyFromUtf8("b"),
            SystemProperties = new SystemProperties { MessageType = MessageType.Transaction },
        }),
        Send("sending a blank tag", Code.IllegalMessageTag, "tag", new() { Topic = Topic, Body = ByteString.CopyFromUtf8("b"), Tag = " " }),
        Send("sending a blank key", Code.IllegalMessageKey, "key", new() { Topic = Topic, Body = ByteString.CopyFromUtf8("b"), Key = " " }),
    ];

    private static IEnumerable<Refusal> ClientRefusals() =>
    [
        new("threads of nobody", Code.BadRequest, "'client_id'", async (admin, options) =>
            (await admin.PrintThreadStackTraceAsync(new(), options)).Status),
        new("threads of a client with a long name", Code.BadRequest, "up to 256", async (admin, options) =>
            (await admin.PrintThreadStackTraceAsync(new() { ClientId = new string('c', 257) }, options)).Status),
        new("threads of a bad group", Code.IllegalConsumerGroup, "'group'", async (admin, options) =>
            (await admin.PrintThreadStackTraceAsync(new() { ClientId = "c", Group = Bad }, options)).Status),
        new("threads in another deployment", Code.BadRequest, "deployment_name", async (admin, options) =>
            (await admin.PrintThreadStackTraceAsync(new() { ClientId = "c", DeploymentName = "x" }, options)).Status),
        Verify("a trial by nobody", Code.BadRequest, "'client_id'", new() { Group = Group, Topic = Topic, MessageId = "m" }),
        Verify("a trial of no group", Code.IllegalConsumerGroup, "'group'", new() { ClientId = "c", Topic = Topic, MessageId = "m" }),
        Verify("a trial of no topic", Code.IllegalTopic, "'topic'", new() { ClientId = "c", Group = Group, MessageId = "m" }),
        Verify("a trial of no message", Code.BadRequest, "'message_id'", new() { ClientId = "c", Group = Group, Topic = Topic }),
        Verify("a trial of an unknown group", Code.ConsumerGroupNotFound, "absent", new() { ClientId = "c", Group = TestClient.Resource("absent"), Topic = Topic, MessageId = "m" }),
        new("running consumer of no group", Code.IllegalConsumerGroup, "'group'", async (admin, options) =>
            (await admin.GetConsumerRunningInfoAsync(new() { ClientId = "c" }, options)).Status),
        new("running consumer without name", Code.BadRequest, "'client_id'", async (admin, options) =>
            (await admin.GetConsumerRunningInfoAsync(new() { Group = Group }, options)).Status),
        new("connections of no group", Code.IllegalConsumerGroup, "'group'", async (admin, options) =>
            (await admin.ListConsumerConnectionAsync(new(), options)).Status),
        new("connections of an unknown group", Code.ConsumerGroupNotFound, "absent", async (admin, options) =>
            (await admin.ListConsumerConnectionAsync(new() { Group = TestClient.Resource("absent") }, options)).Status),
        new("connections of a lite topic of no topic", Code.BadRequest, "'lite_topic'", async (admin, options) =>
            (await admin.ListConsumerConnectionAsync(new() { Group = Group, LiteTopic = "l" }, options)).Status),
    ];

    private static Refusal Describe(string name, Code code, string says, DescribeTopicStatusRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.DescribeTopicStatusAsync(request, options)).Status);

    private static Refusal Route(string name, Code code, string says, GetTopicRouteRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.GetTopicRouteAsync(request, options)).Status);

    private static Refusal Accumulation(string name, Code code, string says, DescribeGroupAccumulationRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.DescribeGroupAccumulationAsync(request, options)).Status);

    private static Refusal Reset(string name, Code code, string says, ResetGroupOffsetRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.ResetGroupOffsetAsync(request, options)).Status);

    private static Refusal Messages(string name, Code code, string says, ListMessageRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.QueryMessageAsync(request, options)).Status);

    private static Refusal Send(string name, Code code, string says, AdminSendMessageRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.AdminSendMessageAsync(request, options)).Status);

    private static Refusal Verify(string name, Code code, string says, VerifyMessageRequest request) =>
        new(name, code, says, async (admin, options) => (await admin.VerifyMessageAsync(request, options)).Status);

    /// <summary>A call that must be refused.</summary>
    private sealed record Refusal(
        string Name, Code Code, string Says, Func<Admin.AdminClient, Grpc.Core.CallOptions, Task<Status>> AskAsync);
}
