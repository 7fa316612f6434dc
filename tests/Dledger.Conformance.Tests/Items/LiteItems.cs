using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Conformance.Tests.Items;

/// <summary>66 to 68: lite topics.</summary>
public sealed class LiteItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task Item_66_a_lite_consumer_gets_the_messages_of_its_own_set_and_its_settings_bear_both_bounds()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(topic, "one", "a");
        await SendAsync(topic, "two", "b");
        using var stream = Client.Messaging.Telemetry(Client.Options());
        await stream.RequestStream.WriteAsync(new TelemetryCommand
        {
            Settings = new Settings
            {
                ClientType = ClientType.LitePushConsumer,
                Subscription = new Subscription { Group = TestClient.Resource(group) },
            },
        });
        await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(Code.Ok, await SyncAsync(topic, group, "two"));
        var received = await Client.ReceiveAsync(topic, group);

        Assert.Equal(["b"], received.Select(message => message.Body.ToStringUtf8()));
        Assert.Equal(2_000, stream.ResponseStream.Current.Settings.Subscription.LiteSubscriptionQuota);
        Assert.Equal(64, stream.ResponseStream.Current.Settings.Subscription.MaxLiteTopicSize);
    }

    [Fact]
    public async Task Item_67_a_lite_topic_comes_back_with_the_message_and_is_taken_beside_its_receipt_handle()
    {
        var (topic, group) = await PrepareAsync();
        await SendAsync(topic, "one", "a");
        await SyncAsync(topic, group, "one");

        var received = Assert.Single(await Client.ReceiveAsync(topic, group));
        var acked = await Client.Messaging.AckMessageAsync(
            new AckMessageRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                Entries = { new AckMessageEntry { ReceiptHandle = received.SystemProperties.ReceiptHandle, LiteTopic = "one" } },
            },
            Client.Options());

        Assert.Equal(("one", topic), (received.SystemProperties.LiteTopic, received.Topic.Name));
        Assert.Equal(MessageType.Lite, received.SystemProperties.MessageType);
        Assert.Equal(Code.Ok, acked.Status.Code);
    }

    [Fact]
    public async Task Item_68_a_bad_lite_topic_and_too_many_have_codes_of_their_own()
    {
        var (topic, group) = await PrepareAsync(countMax: 1, quota: 1);
        await SendAsync(topic, "one", "a");

        Assert.Equal(Code.IllegalLiteTopic, await TrySendAsync(topic, "a b", "m"));
        Assert.Equal(Code.IllegalLiteTopic, await SyncAsync(topic, group, new string('x', 65)));
        Assert.Equal(Code.LiteTopicQuotaExceeded, await TrySendAsync(topic, "two", "m"));
        Assert.Equal(Code.LiteSubscriptionQuotaExceeded, await SyncAsync(topic, group, "one", "two"));
    }

    private async Task SendAsync(string topic, string lite, string body) =>
        Assert.Equal(Code.Ok, await TrySendAsync(topic, lite, body));

    private async Task<Code> TrySendAsync(string topic, string lite, string body) =>
        (await Client.SendAsync(Client.Message(topic, body, message =>
        {
            message.SystemProperties.MessageType = MessageType.Lite;
            message.SystemProperties.LiteTopic = lite;
        }))).Status.Code;

    private async Task<Code> SyncAsync(string topic, string group, params string[] names)
    {
        var request = new SyncLiteSubscriptionRequest
        {
            Action = LiteSubscriptionAction.CompleteAdd,
            Topic = TestClient.Resource(topic),
            Group = TestClient.Resource(group),
        };
        request.LiteTopicSet.AddRange(names);
        return (await Client.Messaging.SyncLiteSubscriptionAsync(request, Client.Options())).Status.Code;
    }

    private async Task<(string Topic, string Group)> PrepareAsync(int countMax = 0, int quota = 0)
    {
        var (topic, group) = (Unique.Name("lites"), Unique.Name("group"));
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
