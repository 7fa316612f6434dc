using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

public sealed class ReceiptTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task An_ack_answers_each_entry_in_order_and_says_when_they_differ()
    {
        var (topic, group, message) = await DeliverAsync();

        var response = await Client.AckAsync(topic, group, message.SystemProperties.ReceiptHandle, "garbage");

        Assert.Equal(Code.MultipleResults, response.Status.Code);
        Assert.Equal(["id0", "id1"], response.Entries.Select(entry => entry.MessageId));
        Assert.Equal(
            [message.SystemProperties.ReceiptHandle, "garbage"], response.Entries.Select(entry => entry.ReceiptHandle));
        Assert.Equal([Code.Ok, Code.InvalidReceiptHandle], response.Entries.Select(entry => entry.Status.Code));
    }

    [Fact]
    public async Task An_ack_that_is_repeated_is_ok()
    {
        var (topic, group, message) = await DeliverAsync();

        var first = await Client.AckAsync(topic, group, message.SystemProperties.ReceiptHandle);
        var second = await Client.AckAsync(topic, group, message.SystemProperties.ReceiptHandle);

        Assert.Equal(Code.Ok, first.Status.Code);
        Assert.Equal(Code.Ok, second.Status.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_handle_that_is_none_is_invalid_for_every_call_that_takes_one(string handle)
    {
        var (topic, group, _) = await DeliverAsync();

        var acked = await Client.AckAsync(topic, group, handle);
        var changed = await ChangeAsync(topic, group, handle, TimeSpan.FromSeconds(1));
        var forwarded = await ForwardAsync(topic, group, handle);

        Assert.Equal(Code.InvalidReceiptHandle, acked.Status.Code);
        Assert.Equal(Code.InvalidReceiptHandle, changed.Status.Code);
        Assert.Equal(handle, changed.ReceiptHandle);
        Assert.Equal(Code.InvalidReceiptHandle, forwarded.Status.Code);
    }

    [Fact]
    public async Task A_handle_with_one_character_changed_is_invalid()
    {
        var (topic, group, message) = await DeliverAsync();
        var handle = message.SystemProperties.ReceiptHandle;

        foreach (var index in new[] { 0, handle.Length / 2, handle.Length - 2 })
        {
            var forged = handle.ToCharArray();
            forged[index] = forged[index] == 'A' ? 'B' : 'A';
            var response = await Client.AckAsync(topic, group, new string(forged));

            Assert.Equal(Code.InvalidReceiptHandle, response.Status.Code);
        }
    }

    [Fact]
    public async Task An_ack_without_entries_is_refused()
    {
        var response = await Client.AckAsync("orders", "billing");

        Assert.Equal(Code.InternalServerError, response.Status.Code);
    }

    [Fact]
    public async Task A_message_that_is_not_acked_comes_again_with_the_next_attempt_and_its_old_handle_has_expired()
    {
        var (topic, group, message) = await DeliverAsync(TimeSpan.FromSeconds(1));

        var again = Assert.Single(await Client.ReceiveAsync(topic, group));
        var late = await Client.AckAsync(topic, group, message.SystemProperties.ReceiptHandle);
        var fresh = await Client.AckAsync(topic, group, again.SystemProperties.ReceiptHandle);

        Assert.Equal(2, again.SystemProperties.DeliveryAttempt);
        Assert.Equal(message.SystemProperties.MessageId, again.SystemProperties.MessageId);
        Assert.Equal(Code.InvalidReceiptHandle, late.Status.Code);
        Assert.Equal(Code.Ok, fresh.Status.Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(12 * 3600 * 1000)]
    public async Task An_invisible_duration_of_zero_to_twelve_hours_is_taken(int milliseconds)
    {
        var (topic, group, message) = await DeliverAsync();

        var response = await ChangeAsync(
            topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.NotEmpty(response.ReceiptHandle);
    }

    [Theory]
    [InlineData((12 * 3600 * 1000) + 1000)]
    [InlineData(-1)]
    public async Task An_invisible_duration_beyond_twelve_hours_or_below_zero_is_refused(int milliseconds)
    {
        var (topic, group, message) = await DeliverAsync();

        var response = await ChangeAsync(
            topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(Code.IllegalInvisibleTime, response.Status.Code);
        Assert.Equal(message.SystemProperties.ReceiptHandle, response.ReceiptHandle);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_change_both_the_old_and_the_new_handle_ack(bool isOld)
    {
        var (topic, group, message) = await DeliverAsync();

        var changed = await ChangeAsync(
            topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.FromMinutes(1));
        var acked = await Client.AckAsync(
            topic, group, isOld ? message.SystemProperties.ReceiptHandle : changed.ReceiptHandle);

        Assert.Equal(Code.Ok, acked.Status.Code);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task A_message_made_visible_comes_at_once_and_counts_unless_suspended(bool suspend, int expected)
    {
        var (topic, group, message) = await DeliverAsync(TimeSpan.FromHours(1));

        await ChangeAsync(topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.Zero, suspend);
        var again = Assert.Single(await Client.ReceiveAsync(topic, group));

        Assert.Equal(expected, again.SystemProperties.DeliveryAttempt);
    }

    [Fact]
    public async Task A_message_that_is_given_up_lies_in_the_dead_letter_topic_with_its_origin()
    {
        var (topic, group, message) = await DeliverAsync();

        var forwarded = await ForwardAsync(topic, group, message.SystemProperties.ReceiptHandle);
        var dead = Assert.Single(await Client.ReceiveAsync($"%DLQ%{group}", SharedNode.NewName("undertaker")));
        var left = await Client.ReceiveAsync(
            topic, group, r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300)));

        Assert.Equal(Code.Ok, forwarded.Status.Code);
        Assert.Equal(topic, dead.SystemProperties.DeadLetterQueue.Topic);
        Assert.Equal(message.SystemProperties.MessageId, dead.SystemProperties.DeadLetterQueue.MessageId);
        Assert.Equal(message.Body, dead.Body);
        Assert.Empty(left);
    }

    [Fact]
    public async Task After_its_last_attempt_a_message_goes_to_the_dead_letter_topic_by_itself()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync(maxAttempts: 2);
        await Client.SendAsync(Client.Message(topic, "hopeless"));
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            var message = Assert.Single(await Client.ReceiveAsync(topic, group));
            Assert.Equal(attempt, message.SystemProperties.DeliveryAttempt);
            await ChangeAsync(topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.Zero);
        }

        var left = await Client.ReceiveAsync(
            topic, group, r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(500)));
        var dead = Assert.Single(await Client.ReceiveAsync($"%DLQ%{group}", SharedNode.NewName("undertaker")));

        Assert.Empty(left);
        Assert.Equal("hopeless", dead.Body.ToStringUtf8());
    }

    [Fact]
    public async Task In_an_ordered_group_nobody_gets_more_of_a_queue_before_its_batch_is_acked()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Fifo);
        var group = await shared.NewGroupAsync(fifo: true);
        foreach (var body in new[] { "1", "2", "3" })
        {
            var sent = await Client.SendAsync(Client.Message(topic, body, m => m.SystemProperties.MessageGroup = "g"));
            Assert.Equal(Code.Ok, sent.Status.Code);
        }

        var first = Assert.Single(await Client.ReceiveAsync(topic, group, request => request.BatchSize = 1));
        var blocked = await Client.ReceiveAsync(
            topic, group, r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(500)));
        await Client.AckAsync(topic, group, first.SystemProperties.ReceiptHandle);
        var rest = await Client.ReceiveAsync(topic, group);

        Assert.Equal("1", first.Body.ToStringUtf8());
        Assert.Equal("g", first.SystemProperties.MessageGroup);
        Assert.Equal(MessageType.Fifo, first.SystemProperties.MessageType);
        Assert.Empty(blocked);
        Assert.Equal(["2", "3"], rest.Select(message => message.Body.ToStringUtf8()));
    }

    [Fact]
    public async Task Messages_of_one_message_group_share_a_queue_whatever_queue_their_senders_name()
    {
        var topic = await shared.NewTopicAsync(8, MessageType.Fifo);
        var group = await shared.NewGroupAsync();
        using var other = new TestClient(Client.Port, "host@2@0@other", "GOLANG");
        for (var count = 0; count < 4; count++)
        {
            var sender = count % 2 == 0 ? Client : other;
            await sender.SendAsync(sender.Message(topic, $"{count}", message =>
            {
                message.SystemProperties.MessageGroup = "together";
                message.SystemProperties.QueueId = count;
            }));
        }

        var received = await Client.ReceiveAsync(topic, group);

        Assert.Equal(["0", "1", "2", "3"], received.Select(message => message.Body.ToStringUtf8()));
        Assert.Single(received.Select(message => message.SystemProperties.QueueId).Distinct());
        Assert.Equal([0L, 1L, 2L, 3L], received.Select(message => message.SystemProperties.QueueOffset));
    }

    private async Task<(string Topic, string Group, Message Message)> DeliverAsync(TimeSpan? invisible = null)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await Client.SendAsync(Client.Message(topic));
        var messages = await Client.ReceiveAsync(topic, group, request =>
            request.InvisibleDuration = Duration.FromTimeSpan(invisible ?? TimeSpan.FromSeconds(30)));
        return (topic, group, Assert.Single(messages));
    }

    private async Task<ChangeInvisibleDurationResponse> ChangeAsync(
        string topic, string group, string handle, TimeSpan duration, bool suspend = false) =>
        await Client.Messaging.ChangeInvisibleDurationAsync(
            new ChangeInvisibleDurationRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = handle,
                InvisibleDuration = Duration.FromTimeSpan(duration),
                Suspend = suspend,
            },
            Client.Options());

    private async Task<ForwardMessageToDeadLetterQueueResponse> ForwardAsync(
        string topic, string group, string handle) =>
        await Client.Messaging.ForwardMessageToDeadLetterQueueAsync(
            new ForwardMessageToDeadLetterQueueRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = handle,
            },
            Client.Options());
}
