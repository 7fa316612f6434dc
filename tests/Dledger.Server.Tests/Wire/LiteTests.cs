using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

public sealed class LiteTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private TestClient Client => shared.Client;

    [Fact]
    public async Task A_lite_consumer_gets_what_is_sent_to_its_lite_topics_and_gives_the_name_back()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(Client, topic, "one", "a");
        await SendAsync(Client, topic, "two", "b");

        var synced = await SyncAsync(Client, topic, group, LiteSubscriptionAction.PartialAdd, "one");
        var received = Assert.Single(await ReceiveAsync(Client, topic, group));
        var acked = await AckAsync(topic, group, received);

        Assert.Equal(Code.Ok, synced);
        Assert.Equal(("a", "one", topic), (received.Body.ToStringUtf8(), received.SystemProperties.LiteTopic, received.Topic.Name));
        Assert.Equal(MessageType.Lite, received.SystemProperties.MessageType);
        Assert.Equal(Code.Ok, acked);
    }

    [Fact]
    public async Task A_waiting_poll_hears_of_a_subscription_that_comes_later()
    {
        var (topic, group) = await PrepareAsync();
        var poll = ReceiveAsync(Client, topic, group);

        await SyncAsync(Client, topic, group, LiteSubscriptionAction.CompleteAdd, "one");
        await SendAsync(Client, topic, "one", "a");

        Assert.Equal("a", Assert.Single(await poll.WaitAsync(Patience)).Body.ToStringUtf8());
    }

    [Fact]
    public async Task A_message_that_is_changed_or_given_up_takes_its_lite_topic_back()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(Client, topic, "one", "a");
        await SyncAsync(Client, topic, group, LiteSubscriptionAction.PartialAdd, "one");
        var received = Assert.Single(await ReceiveAsync(Client, topic, group));

        var changed = await Client.Messaging.ChangeInvisibleDurationAsync(
            new ChangeInvisibleDurationRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = received.SystemProperties.ReceiptHandle,
                LiteTopic = "one",
                InvisibleDuration = Duration.FromTimeSpan(TimeSpan.Zero),
            },
            Client.Options());
        var again = Assert.Single(await ReceiveAsync(Client, topic, group));
        var forwarded = await Client.Messaging.ForwardMessageToDeadLetterQueueAsync(
            new ForwardMessageToDeadLetterQueueRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = again.SystemProperties.ReceiptHandle,
                LiteTopic = "one",
            },
            Client.Options());
        var letter = Assert.Single(await Client.ReceiveAsync($"%DLQ%{group}", group));

        Assert.Equal(Code.Ok, changed.Status.Code);
        Assert.Equal(2, again.SystemProperties.DeliveryAttempt);
        Assert.Equal(Code.Ok, forwarded.Status.Code);
        Assert.Equal(("a", topic), (letter.Body.ToStringUtf8(), letter.SystemProperties.DeadLetterQueue.Topic));
        Assert.False(letter.SystemProperties.HasLiteTopic);
    }

    [Fact]
    public async Task Settings_of_lite_consumers_bear_both_bounds_and_those_of_others_none()
    {
        var (topic, group) = await PrepareAsync(quota: 7);
        using var lite = Client.Messaging.Telemetry(Client.Options());
        using var push = Client.Messaging.Telemetry(Client.Options());

        await lite.RequestStream.WriteAsync(new TelemetryCommand { Settings = Consumer(ClientType.LitePushConsumer, topic, group) });
        await push.RequestStream.WriteAsync(new TelemetryCommand { Settings = Consumer(ClientType.PushConsumer, topic, group) });
        await lite.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience);
        await push.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience);

        var subscription = lite.ResponseStream.Current.Settings.Subscription;
        Assert.Equal((7, 64), (subscription.LiteSubscriptionQuota, subscription.MaxLiteTopicSize));
        Assert.False(push.ResponseStream.Current.Settings.Subscription.HasLiteSubscriptionQuota);
    }

    [Fact]
    public async Task A_client_is_told_that_a_lite_topic_of_its_set_was_deleted()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(Client, topic, "one", "a");
        await SendAsync(Client, topic, "two", "b");
        using var stream = Client.Messaging.Telemetry(Client.Options());
        await stream.RequestStream.WriteAsync(new TelemetryCommand { Settings = Consumer(ClientType.LitePushConsumer, topic, group) });
        await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience);
        await SyncAsync(Client, topic, group, LiteSubscriptionAction.CompleteAdd, "one", "two");

        var lites = Client.LiteTopics;
        var before = await lites.ListLiteTopicsAsync(new ListLiteTopicsRequest { Topic = topic }, Client.Options());
        var deleted = await lites.DeleteLiteTopicAsync(
            new DeleteLiteTopicRequest { Topic = topic, LiteTopic = "one" }, Client.Options());
        var after = await lites.ListLiteTopicsAsync(new ListLiteTopicsRequest { Topic = topic }, Client.Options());
        string? told = null;
        while (told is null && await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience))
        {
            told = stream.ResponseStream.Current.NotifyUnsubscribeLiteCommand?.LiteTopic;
        }

        Assert.Equal(["one", "two"], before.LiteTopics.Select(lite => lite.Name));
        Assert.Equal(AdminCode.AdminOk, deleted.Status.Code);
        Assert.Equal("two", Assert.Single(after.LiteTopics).Name);
        Assert.Equal("one", told);
    }

    [Fact]
    public async Task Lite_topics_are_listed_page_by_page_and_counted()
    {
        var (topic, _) = await PrepareAsync();
        foreach (var name in new[] { "c", "a", "b" })
        {
            await SendAsync(Client, topic, name, "m");
        }

        var first = await Client.LiteTopics.ListLiteTopicsAsync(
            new ListLiteTopicsRequest { Topic = topic, PageSize = 2 }, Client.Options());
        var second = await Client.LiteTopics.ListLiteTopicsAsync(
            new ListLiteTopicsRequest { Topic = topic, PageSize = 2, After = "b" }, Client.Options());
        var described = await Client.Admin.DescribeTopicAsync(new DescribeTopicRequest { Name = topic }, Client.Options());

        Assert.Equal((true, false), (first.HasMore, second.HasMore));
        Assert.Equal(["a", "b", "c"], first.LiteTopics.Concat(second.LiteTopics).Select(lite => lite.Name));
        Assert.Equal(3, described.Topic.LiteTopicCount);
    }

    [Fact]
    public async Task Each_refusal_has_the_code_that_clients_know()
    {
        var (topic, group) = await PrepareAsync(quota: 2, countMax: 1);
        var normal = await shared.NewTopicAsync();

        var bad = await SyncAsync(Client, topic, group, LiteSubscriptionAction.PartialAdd, "a b");
        var tooMany = await SyncAsync(Client, topic, group, LiteSubscriptionAction.CompleteAdd, "a", "b", "c");
        var elsewhere = await SyncAsync(Client, normal, group, LiteSubscriptionAction.PartialAdd, "a");
        var missing = await SyncAsync(Client, "missing", group, LiteSubscriptionAction.PartialAdd, "a");
        var action = await SyncAsync(Client, topic, group, (LiteSubscriptionAction)9, "a");
        var badSend = await TrySendAsync(Client, topic, new string('x', 65), "m");
        await SendAsync(Client, topic, "a", "m");
        var second = await TrySendAsync(Client, topic, "b", "m");
        var unnamed = await Client.SendAsync(Client.Message(topic, change: m => m.SystemProperties.MessageType = MessageType.Lite));

        Assert.Equal(Code.IllegalLiteTopic, bad);
        Assert.Equal(Code.LiteSubscriptionQuotaExceeded, tooMany);
        Assert.Equal(Code.IllegalTopic, elsewhere);
        Assert.Equal(Code.TopicNotFound, missing);
        Assert.Equal(Code.BadRequest, action);
        Assert.Equal(Code.IllegalLiteTopic, badSend);
        Assert.Equal(Code.LiteTopicQuotaExceeded, second);
        Assert.Equal(Code.IllegalLiteTopic, unnamed.Status.Code);
    }

    [Fact]
    public async Task A_group_continues_where_the_client_says()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(Client, topic, "one", "old");

        var synced = await Client.Messaging.SyncLiteSubscriptionAsync(
            new SyncLiteSubscriptionRequest
            {
                Action = LiteSubscriptionAction.PartialAdd,
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                LiteTopicSet = { "one" },
                OffsetOption = new OffsetOption { Policy = OffsetOption.Types.Policy.Max },
            },
            Client.Options());
        await SendAsync(Client, topic, "one", "new");

        Assert.Equal(Code.Ok, synced.Status.Code);
        Assert.Equal("new", Assert.Single(await ReceiveAsync(Client, topic, group)).Body.ToStringUtf8());
    }

    [Fact]
    public async Task A_new_leader_learns_the_sets_from_the_node_that_the_client_talks_to()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var client = cluster.Client(await cluster.FollowerAsync());
        var created = await client.Admin.CreateTopicAsync(
            new CreateTopicRequest { Topic = new Topic { Name = "lites", AcceptMessageTypes = { MessageType.Lite } } },
            client.Options());
        await SyncAsync(client, "lites", "g", LiteSubscriptionAction.CompleteAdd, "one");
        await SendAsync(client, "lites", "one", "before");
        var before = Assert.Single(await ReceiveAsync(client, "lites", "g"));

        await cluster.StopNodeAsync(leader);
        await cluster.LeaderAsync();
        await SendAsync(client, "lites", "one", "after");
        var after = Assert.Single(await ReceiveAsync(client, "lites", "g").WaitAsync(Patience));

        Assert.Equal(AdminCode.AdminOk, created.Status.Code);
        Assert.Equal(["before", "after"], [before.Body.ToStringUtf8(), after.Body.ToStringUtf8()]);
    }

    private static async Task<Code> SyncAsync(
        TestClient client, string topic, string group, LiteSubscriptionAction action, params string[] names)
    {
        var request = new SyncLiteSubscriptionRequest
        {
            Action = action,
            Topic = TestClient.Resource(topic),
            Group = TestClient.Resource(group),
        };
        request.LiteTopicSet.AddRange(names);
        return (await client.Messaging.SyncLiteSubscriptionAsync(request, client.Options())).Status.Code;
    }

    private static async Task SendAsync(TestClient client, string topic, string lite, string body) =>
        Assert.Equal(Code.Ok, await TrySendAsync(client, topic, lite, body));

    private static async Task<Code> TrySendAsync(TestClient client, string topic, string lite, string body) =>
        (await client.SendAsync(client.Message(topic, body, message =>
        {
            message.SystemProperties.MessageType = MessageType.Lite;
            message.SystemProperties.LiteTopic = lite;
        }))).Status.Code;

    // As the Node.js library asks: a queue that does not exist.
    private static Task<IReadOnlyList<Message>> ReceiveAsync(TestClient client, string topic, string group) =>
        client.ReceiveAsync(topic, group, request => request.MessageQueue.Id = -1);

    private static Settings Consumer(ClientType type, string topic, string group) => new()
    {
        ClientType = type,
        Subscription = new Subscription
        {
            Group = TestClient.Resource(group),
            Subscriptions = { new SubscriptionEntry { Topic = TestClient.Resource(topic) } },
        },
    };

    private async Task<Code> AckAsync(string topic, string group, Message message) =>
        (await Client.Messaging.AckMessageAsync(
            new AckMessageRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                Entries =
                {
                    new AckMessageEntry
                    {
                        ReceiptHandle = message.SystemProperties.ReceiptHandle,
                        LiteTopic = message.SystemProperties.LiteTopic,
                    },
                },
            },
            Client.Options())).Status.Code;

    private async Task<(string Topic, string Group)> PrepareAsync(int quota = 0, int countMax = 0)
    {
        var (topic, group) = (SharedNode.NewName("lites"), SharedNode.NewName("group"));
        var created = await Client.Admin.CreateTopicAsync(
            new CreateTopicRequest
            {
                Topic = new Topic { Name = topic, AcceptMessageTypes = { MessageType.Lite }, LiteTopicsMax = countMax },
            },
            Client.Options());
        var made = await Client.Admin.CreateGroupAsync(
            new CreateGroupRequest { Group = new Group { Name = group, LiteSubscriptionQuota = quota } }, Client.Options());
        Assert.Equal((AdminCode.AdminOk, AdminCode.AdminOk), (created.Status.Code, made.Status.Code));
        return (topic, group);
    }
}
