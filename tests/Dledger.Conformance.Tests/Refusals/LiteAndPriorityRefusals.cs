using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;

namespace Dledger.Conformance.Tests.Refusals;

/// <summary>Wrong uses of priorities and lite topics: the code that clients know, the field and its bound, and nothing changed.</summary>
public sealed class LiteAndPriorityRefusals(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public async Task A_negative_priority_names_its_field_and_bound(int priority)
    {
        var topic = await shared.NewTopicAsync(4, MessageType.Priority);
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await Client.SendAsync(Client.Message(topic, change: message => message.SystemProperties.Priority = priority));

        Assert.Equal(Code.BadRequest, response.Status.Code);
        Assert.Contains($"'priority' is {priority}; 0 to 2147483647", response.Status.Message, StringComparison.Ordinal);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Theory]
    [InlineData(MessageType.Normal)]
    [InlineData(MessageType.Fifo)]
    [InlineData(MessageType.Delay)]
    public async Task A_priority_conflicts_with_every_other_type_of_topic(MessageType type)
    {
        var topic = await shared.NewTopicAsync(4, type);
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await Client.SendAsync(Client.Message(topic, change: message =>
        {
            message.SystemProperties.Priority = 1;
            if (type == MessageType.Fifo)
            {
                message.SystemProperties.MessageGroup = "g";
            }
            else if (type == MessageType.Delay)
            {
                message.SystemProperties.DeliveryTimestamp = message.SystemProperties.BornTimestamp;
            }
        }));

        Assert.Equal(Code.MessagePropertyConflictWithType, response.Status.Code);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task A_message_without_priority_or_with_a_message_group_conflicts_with_a_priority_topic()
    {
        var topic = await shared.NewTopicAsync(4, MessageType.Priority);
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var normal = await Client.SendAsync(Client.Message(topic));
        var grouped = await Client.SendAsync(Client.Message(topic, change: message =>
        {
            message.SystemProperties.Priority = 1;
            message.SystemProperties.MessageGroup = "g";
        }));

        Assert.Equal(Code.MessagePropertyConflictWithType, normal.Status.Code);
        Assert.Equal(Code.MessagePropertyConflictWithType, grouped.Status.Code);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task A_receipt_handle_with_a_lite_topic_is_invalid_and_the_message_stays_leased()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 2);
        var messages = await Client.ReceiveAsync(topic, group);
        var handle = messages[0].SystemProperties.ReceiptHandle;
        var before = await shared.StateAsync(topic, group);

        var acked = await Client.Messaging.AckMessageAsync(
            new AckMessageRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                Entries = { new AckMessageEntry { MessageId = "id", ReceiptHandle = handle, LiteTopic = "lite" } },
            },
            Client.Options());
        var changed = await Client.Messaging.ChangeInvisibleDurationAsync(
            new ChangeInvisibleDurationRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = handle,
                LiteTopic = "lite",
            },
            Client.Options());
        var forwarded = await Client.Messaging.ForwardMessageToDeadLetterQueueAsync(
            new ForwardMessageToDeadLetterQueueRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = handle,
                LiteTopic = "lite",
            },
            Client.Options());

        Assert.All(
            new[] { acked.Status, Assert.Single(acked.Entries).Status, changed.Status, forwarded.Status },
            status =>
            {
                Assert.Equal(Code.InvalidReceiptHandle, status.Code);
                Assert.Contains("'lite_topic'", status.Message, StringComparison.Ordinal);
                Assert.Contains("not of the type LITE", status.Message, StringComparison.Ordinal);
            });
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task An_empty_lite_topic_is_none_and_the_other_entries_of_an_ack_count()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 2);
        var messages = await Client.ReceiveAsync(topic, group);

        var response = await Client.Messaging.AckMessageAsync(
            new AckMessageRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                Entries =
                {
                    new AckMessageEntry { ReceiptHandle = messages[0].SystemProperties.ReceiptHandle, LiteTopic = "" },
                    new AckMessageEntry { ReceiptHandle = messages[1].SystemProperties.ReceiptHandle, LiteTopic = "lite" },
                },
            },
            Client.Options());

        Assert.Equal(Code.MultipleResults, response.Status.Code);
        Assert.Equal([Code.Ok, Code.InvalidReceiptHandle], response.Entries.Select(entry => entry.Status.Code));
    }
}
