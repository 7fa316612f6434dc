using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Conformance.Tests.Items;

public sealed class DelayItems(SharedNodes shared) : IClassFixture<SharedNodes>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Item_23_a_delay_topic_takes_delayed_messages()
    {
        var client = await shared.LeaderAsync();
        var topic = await Administration.NewTopicAsync(client, 1, MessageType.Delay);

        var sent = await client.SendAsync(DueIn(client, topic, TimeSpan.FromHours(1)));

        Assert.Equal(Code.Ok, sent.Status.Code);
    }

    [Fact]
    public async Task Item_29_a_delivery_time_in_the_past_means_now()
    {
        var client = await shared.LeaderAsync();
        var (topic, group) = await PrepareAsync(client);

        var sent = await client.SendAsync(DueIn(client, topic, TimeSpan.FromMinutes(-5)));
        var received = await client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(5));

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(MessageType.Delay, received.SystemProperties.MessageType);
    }

    [Fact]
    public async Task Item_30_a_delayed_message_comes_when_it_is_due_and_not_before()
    {
        var client = await shared.FollowerAsync();
        var (topic, group) = await PrepareAsync(client);
        var message = DueIn(client, topic, TimeSpan.FromSeconds(3));

        var entry = (await client.SendAsync(message)).Entries[0];
        var received = await client.AwaitMessageAsync(topic, group, Patience);
        var now = DateTime.UtcNow;

        var due = message.SystemProperties.DeliveryTimestamp.ToDateTime();
        Assert.NotEmpty(entry.RecallHandle);
        Assert.Equal(message.SystemProperties.MessageId, received.SystemProperties.MessageId);
        Assert.Equal(message.SystemProperties.DeliveryTimestamp, received.SystemProperties.DeliveryTimestamp);
        Assert.InRange(now, due, due.AddSeconds(3));
    }

    [Fact]
    public async Task Item_30_a_recalled_message_never_comes_whichever_node_was_asked()
    {
        var sender = await shared.LeaderAsync();
        var other = await shared.FollowerAsync();
        var (topic, group) = await PrepareAsync(sender);
        var message = DueIn(sender, topic, TimeSpan.FromSeconds(3));
        var entry = (await sender.SendAsync(message)).Entries[0];

        var recalled = await other.Messaging.RecallMessageAsync(
            new RecallMessageRequest { Topic = TestClient.Resource(topic), RecallHandle = entry.RecallHandle }, other.Options());
        var received = await sender.ReceiveAsync(topic, group, request => request.LongPollingTimeout = new() { Seconds = 6 });

        Assert.Equal(Code.Ok, recalled.Status.Code);
        Assert.Equal(message.SystemProperties.MessageId, recalled.MessageId);
        Assert.Empty(received);
    }

    private static async Task<(string Topic, string Group)> PrepareAsync(TestClient client) => (
        await Administration.NewTopicAsync(client, 1, MessageType.Delay),
        await Administration.NewGroupAsync(client));

    private static Message DueIn(TestClient client, string topic, TimeSpan delay) => client.Message(topic, change: message =>
    {
        message.SystemProperties.MessageType = MessageType.Delay;
        message.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTimeOffset(
            DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.Add(delay).ToUnixTimeMilliseconds()));
    });
}
