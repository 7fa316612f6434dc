using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;

namespace Dledger.Conformance.Tests.Items;

public sealed class FifoItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task Item_55_messages_of_a_group_come_in_order_and_nobody_else_gets_more_before_the_ack()
    {
        var (topic, group) = await PrepareAsync();
        using var other = shared.NewClient();

        var first = Assert.Single(await Client.ReceiveAsync(topic, group, request => request.BatchSize = 1));
        var blocked = await other.GlanceAsync(topic, group);
        await Client.AckAsync(topic, group, first.SystemProperties.ReceiptHandle);
        var rest = await other.ReceiveAsync(topic, group);

        Assert.Equal("1", first.Body());
        Assert.Empty(blocked);
        Assert.Equal(["2", "3"], rest.Select(message => message.Body()));
    }

    [Fact]
    public async Task Item_56_after_a_failure_the_first_message_that_was_not_acked_comes_first()
    {
        var (topic, group) = await PrepareAsync();
        var batch = await Client.ReceiveAsync(topic, group, request => request.InvisibleDuration = new() { Seconds = 2 });
        await Client.AckAsync(topic, group, batch[0].SystemProperties.ReceiptHandle);

        var again = new List<Message> { await Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20), r => r.BatchSize = 1) };
        await Client.AckAsync(topic, group, again[0].SystemProperties.ReceiptHandle);
        again.Add(await Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20)));

        Assert.Equal(["1", "2", "3"], batch.Select(message => message.Body()));
        Assert.Equal(["2", "3"], again.Select(message => message.Body()));
        Assert.All(again, message => Assert.Equal(2, message.SystemProperties.DeliveryAttempt));
    }

    [Fact]
    public async Task Item_57_the_same_attempt_id_gets_the_same_messages_again_and_another_one_nothing()
    {
        var (topic, group) = await PrepareAsync();
        using var other = shared.NewClient();

        var lost = await Client.ReceiveAsync(topic, group, request => request.AttemptId = "one");
        var again = await Client.ReceiveAsync(topic, group, request => request.AttemptId = "one");
        var blocked = await other.GlanceAsync(topic, group, request => request.AttemptId = "two");

        Assert.Equal(["1", "2", "3"], lost.Select(message => message.Body()));
        Assert.Equal(["1", "2", "3"], again.Select(message => message.Body()));
        Assert.All(again, message => Assert.Equal(1, message.SystemProperties.DeliveryAttempt));
        Assert.Empty(blocked);
    }

    private async Task<(string Topic, string Group)> PrepareAsync()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Fifo);
        var group = await shared.NewGroupAsync(fifo: true);
        foreach (var body in new[] { "1", "2", "3" })
        {
            var sent = await Client.SendAsync(Client.Message(topic, body, m => m.SystemProperties.MessageGroup = "g"));
            Assert.Equal(Code.Ok, sent.Status.Code);
        }

        return (topic, group);
    }
}
