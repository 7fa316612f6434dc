using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class MessageGroupTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Message_groups_of_one_queue_do_not_wait_for_each_other()
    {
        var broker = await Prepare("a1", "a2", "b1", "b2", "c1");

        var first = Assert.Single(await broker.Receive("g", "t", batch: 1));
        var others = await broker.Receive("g", "t");

        Assert.Equal("a1", TestBroker.Text(first));
        Assert.Equal(["b1", "b2", "c1"], others.Select(TestBroker.Text));
        Assert.Null(await broker.Ack("g", "t", first));
        Assert.Equal("a2", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task A_batch_may_hold_several_messages_of_one_message_group_in_order()
    {
        var broker = await Prepare("a1", "b1", "a2", "a3", "b2");

        var batch = await broker.Receive("g", "t", batch: 4);
        Assert.Equal(["a1", "b1", "a2", "a3"], batch.Select(TestBroker.Text));
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", batch[1]));

        Assert.Equal("b2", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task What_failed_comes_again_before_what_follows_it_and_only_its_message_group_waits()
    {
        var broker = await Prepare("a1", "a2", "b1", "a3");
        var batch = await broker.Receive("g", "t", batch: 2, invisibleSeconds: 5);
        Assert.Equal(["a1", "a2"], batch.Select(TestBroker.Text));
        var other = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 600));
        Assert.Equal("b1", TestBroker.Text(other));
        Assert.Null(await broker.Ack("g", "t", batch[1]));

        broker.Advance(TimeSpan.FromSeconds(6));
        var again = await broker.Receive("g", "t");

        Assert.Equal(["a1", "a3"], again.Select(TestBroker.Text));
        Assert.Equal([2, 1], again.Select(message => message.Attempt));
    }

    [Fact]
    public async Task Messages_without_message_group_are_one_group_for_each_queue()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", 1, MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true });
        await broker.Send("t", "n1");
        await broker.Send("t", "a1", group: "a");
        await broker.Send("t", "n2");

        Assert.Equal("n1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", batch: 1))));

        Assert.Equal("a1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task Order_and_locks_survive_a_restart_from_a_checkpoint_and_a_replay()
    {
        var broker = await Prepare("a1", "a2", "b1", "b2", "c1");
        var first = Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 600));
        await broker.Receive("g", "t", batch: 1, invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));

        broker.Restart(graceful: true);

        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        Assert.Equal(["b1", "b2", "c1"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
        Assert.Null(await broker.Ack("g", "t", first));
        Assert.Equal("a2", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task The_same_attempt_gets_the_same_unfinished_messages_and_another_one_waits()
    {
        var broker = await Prepare("a1", "a2", "a3");
        var batch = await broker.Receive("g", "t", batch: 2, attemptId: "one");
        Assert.Null(await broker.Ack("g", "t", batch[0]));

        var again = Assert.Single(await broker.Receive("g", "t", batch: 2, attemptId: "one"));

        Assert.Equal(("a2", 1, batch[1].ReceiptHandle), (TestBroker.Text(again), again.Attempt, again.ReceiptHandle));
        Assert.Empty(await broker.Receive("g", "t", attemptId: "two"));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_long_tail_of_a_waiting_message_group_is_passed_over_once_and_comes_later_in_order()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, DeliveryWindow = 64 });
        await PrepareGroup(broker, new GroupSettings());
        for (var i = 0; i < 500; i++)
        {
            await broker.Send("t", $"a{i:d3}", group: "a");
        }

        await broker.Send("t", "b", group: "b");
        var first = Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 600));

        var other = Assert.Single((await broker.Poll("g", "t", batch: 8)).Messages);

        Assert.Equal("b", TestBroker.Text(other));
        broker.Restart(graceful: true);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        Assert.Null(await broker.Ack("g", "t", first));
        var seen = new List<string>();
        while (await broker.Receive("g", "t", batch: 32) is { Count: > 0 } batch)
        {
            foreach (var message in batch)
            {
                seen.Add(TestBroker.Text(message));
                Assert.Null(await broker.Ack("g", "t", message));
            }
        }

        Assert.Equal(Enumerable.Range(1, 499).Select(i => $"a{i:d3}"), seen);
    }

    [Fact]
    public async Task Messages_that_a_filter_leaves_out_do_not_hold_up_their_message_group()
    {
        var broker = new TestBroker();
        await PrepareGroup(broker, new GroupSettings());
        await broker.Send("t", "a1", tag: "no", group: "a");
        await broker.Send("t", "a2", tag: "yes", group: "a");
        await broker.Send("t", "a3", tag: "no", group: "a");
        await broker.Send("t", "a4", tag: "yes", group: "a");

        var first = Assert.Single(await broker.Receive("g", "t", batch: 1, filter: "yes"));
        Assert.Null(await broker.Ack("g", "t", first));
        var second = Assert.Single(await broker.Receive("g", "t", filter: "yes"));

        Assert.Equal(["a2", "a4"], [TestBroker.Text(first), TestBroker.Text(second)]);
    }

    [Fact]
    public async Task Retention_ends_the_locks_of_what_it_takes()
    {
        var broker = await Prepare("a1", "b1", "a2");
        await broker.Receive("g", "t", batch: 1, invisibleSeconds: 600);
        var change = new Dledger.Broker.Topics.TopicChange { Name = "t", RetentionTime = TimeSpan.FromHours(1) };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(change, None)));
        broker.Advance(TimeSpan.FromHours(3));
        await broker.Send("t", "a4", group: "a");

        Assert.Equal("a4", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    private static async Task<TestBroker> Prepare(params string[] bodies)
    {
        var broker = new TestBroker();
        await PrepareGroup(broker, new GroupSettings());
        foreach (var body in bodies)
        {
            await broker.Send("t", body, group: body[..1]);
        }

        return broker;
    }

    private static async Task PrepareGroup(TestBroker broker, GroupSettings settings)
    {
        await broker.CreateTopic("t", 1, MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true, Settings = settings });
    }
}
