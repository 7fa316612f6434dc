using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;

namespace Dledger.Conformance.Tests.Items;

public sealed class ReceiptItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task Item_47_an_ack_answers_each_entry_in_order_and_says_when_they_differ()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 2);
        var expired = Assert.Single(await Client.ReceiveAsync(topic, group, request =>
        {
            request.BatchSize = 1;
            request.InvisibleDuration = new() { Seconds = 1 };
        }));
        var valid = Assert.Single(await Client.ReceiveAsync(topic, group, request => request.BatchSize = 1));
        await Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20));
        string[] handles = [expired.SystemProperties.ReceiptHandle, valid.SystemProperties.ReceiptHandle];

        var response = await Client.AckAsync(topic, group, handles);

        Assert.Equal(Code.MultipleResults, response.Status.Code);
        Assert.Equal(["id0", "id1"], response.Entries.Select(entry => entry.MessageId));
        Assert.Equal(handles, response.Entries.Select(entry => entry.ReceiptHandle));
        Assert.Equal([Code.InvalidReceiptHandle, Code.Ok], response.Entries.Select(entry => entry.Status.Code));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(12 * 3600 * 1000)]
    public async Task Item_50_an_invisible_duration_of_zero_to_twelve_hours_is_taken(int milliseconds)
    {
        var (topic, group, handle) = await DeliverAsync();

        var response = await Client.ChangeAsync(topic, group, handle, TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.NotEmpty(response.ReceiptHandle);
    }

    [Fact]
    public async Task Item_50_an_invisible_duration_above_twelve_hours_is_refused()
    {
        var (topic, group, handle) = await DeliverAsync();

        var response = await Client.ChangeAsync(topic, group, handle, TimeSpan.FromSeconds((12 * 3600) + 1));

        Assert.Equal(Code.IllegalInvisibleTime, response.Status.Code);
        Assert.Equal(handle, response.ReceiptHandle);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Item_51_after_a_change_both_handles_ack(bool isOld)
    {
        var (topic, group, handle) = await DeliverAsync();

        var changed = await Client.ChangeAsync(topic, group, handle, TimeSpan.FromMinutes(1));
        var acked = await Client.AckAsync(topic, group, isOld ? handle : changed.ReceiptHandle);

        Assert.Equal(Code.Ok, acked.Status.Code);
    }

    [Fact]
    public async Task Item_52_a_garbage_handle_is_invalid_for_every_call_that_takes_one()
    {
        var (topic, group, _) = await DeliverAsync();

        Assert.Equal(Code.InvalidReceiptHandle, (await Client.AckAsync(topic, group, "garbage")).Status.Code);
        Assert.Equal(
            Code.InvalidReceiptHandle, (await Client.ChangeAsync(topic, group, "garbage", TimeSpan.Zero)).Status.Code);
        Assert.Equal(Code.InvalidReceiptHandle, (await Client.ForwardAsync(topic, group, "garbage")).Status.Code);
    }

    [Fact]
    public async Task Item_53_after_seventeen_deliveries_a_message_lies_in_the_dead_letter_topic()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        for (var attempt = 1; attempt <= 17; attempt++)
        {
            var message = await Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20));
            Assert.Equal(attempt, message.SystemProperties.DeliveryAttempt);
            await Client.ChangeAsync(topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.Zero);
        }

        var undertakers = await shared.NewGroupAsync();
        var dead = await Client.AwaitMessageAsync($"%DLQ%{group}", undertakers, TimeSpan.FromSeconds(20));

        Assert.Equal("0", dead.Body());
        Assert.Equal(topic, dead.SystemProperties.DeadLetterQueue.Topic);
        Assert.Empty(await Client.GlanceAsync(topic, group));
    }

    [Fact]
    public async Task Item_54_a_forwarded_message_lies_in_the_dead_letter_topic_and_its_queue_goes_on()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Fifo);
        var group = await shared.NewGroupAsync(fifo: true);
        foreach (var body in new[] { "poison", "next" })
        {
            await Client.SendAsync(Client.Message(topic, body, m => m.SystemProperties.MessageGroup = "g"));
        }

        var poison = Assert.Single(await Client.ReceiveAsync(topic, group, request => request.BatchSize = 1));
        var forwarded = await Client.ForwardAsync(topic, group, poison.SystemProperties.ReceiptHandle);
        var next = await Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20));
        var undertakers = await shared.NewGroupAsync();
        var dead = await Client.AwaitMessageAsync($"%DLQ%{group}", undertakers, TimeSpan.FromSeconds(20));

        Assert.Equal(Code.Ok, forwarded.Status.Code);
        Assert.Equal("next", next.Body());
        Assert.Equal("poison", dead.Body());
        Assert.Equal(poison.SystemProperties.MessageId, dead.SystemProperties.DeadLetterQueue.MessageId);
    }

    private async Task<(string Topic, string Group, string Handle)> DeliverAsync()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        var message = Assert.Single(await Client.ReceiveAsync(topic, group));
        return (topic, group, message.SystemProperties.ReceiptHandle);
    }
}
