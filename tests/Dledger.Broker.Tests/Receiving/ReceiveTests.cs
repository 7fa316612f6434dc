using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Replication;

namespace Dledger.Broker.Tests.Receiving;

public sealed class ReceiveTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Every_message_is_handed_out_once_until_its_invisible_duration_ends()
    {
        var broker = new TestBroker();
        for (var i = 0; i < 20; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var first = await broker.Receive("g", "t", batch: 12);
        var second = await broker.Receive("g", "t", batch: 32);
        var third = await broker.Receive("g", "t", batch: 32);

        Assert.Equal(20, first.Concat(second).Select(TestBroker.Text).Distinct().Count());
        Assert.Equal((12, 8, 0), (first.Count, second.Count, third.Count));
    }

    [Fact]
    public async Task Messages_of_one_queue_come_in_order()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 10; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var messages = await broker.Receive("g", "t");

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"m{i}"), messages.Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_receiver_that_dies_makes_its_messages_visible_again_after_the_invisible_duration()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var first = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 10));

        broker.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(await broker.Receive("g", "t"));
        broker.Advance(TimeSpan.FromSeconds(1.2));
        var second = Assert.Single(await broker.Receive("g", "t"));

        Assert.Equal((1, 2), (first.Attempt, second.Attempt));
        Assert.Equal(first.QueueOffset, second.QueueOffset);
        Assert.NotEqual(first.ReceiptHandle, second.ReceiptHandle);
    }

    [Fact]
    public async Task Two_groups_get_every_message_each()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");

        var one = await broker.Receive("g1", "t");
        var two = await broker.Receive("g2", "t");

        Assert.Single(one);
        Assert.Single(two);
    }

    [Fact]
    public async Task A_group_that_cannot_be_put_at_the_end_of_its_queues_at_present_says_so_to_who_asks()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.CreateGroup(new GroupSpec { Name = "late", Start = GroupStart.Latest });
        await broker.Send("t", "early");
        broker.Log.IsBusy = true;

        var refused = await broker.Poll("late", "t");

        Assert.Equal(BrokerError.Busy, refused.Failure!.Value.Error);
        broker.Log.IsBusy = false;
        Assert.Empty(await broker.Receive("late", "t"));
        await broker.Send("t", "then");
        Assert.Equal("then", TestBroker.Text(Assert.Single(await broker.Receive("late", "t"))));
    }

    [Fact]
    public async Task A_new_group_starts_at_the_earliest_message_by_default_and_at_the_latest_by_option()
    {
        var broker = new TestBroker();
        await broker.Send("t", "old");
        await broker.CreateGroup(new GroupSpec { Name = "late", Start = GroupStart.Latest });

        Assert.Empty(await broker.Receive("late", "t"));
        await broker.Send("t", "new");

        Assert.Equal("new", TestBroker.Text(Assert.Single(await broker.Receive("late", "t"))));
        Assert.Equal(["new", "old"], (await broker.Receive("early", "t")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task An_unknown_group_is_refused_unless_groups_are_created_on_use()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, AutoCreateGroups = false });
        await broker.Send("t", "m");

        var outcome = await broker.Run(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 1, 30, "*", null), None));

        Assert.Equal(BrokerError.GroupNotFound, outcome.Failure?.Error);
    }

    [Fact]
    public async Task An_unknown_topic_is_refused_even_where_topics_are_created_on_use()
    {
        var broker = new TestBroker();

        var outcome = await broker.Run(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 1, 30, "*", null), None));

        Assert.Equal(BrokerError.TopicNotFound, outcome.Failure?.Error);
    }

    [Fact]
    public async Task Receives_in_flight_never_choose_the_same_message()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 6; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        await broker.CreateGroup(new GroupSpec { Name = "g" });
        broker.Log.IsHeld = true;
        var calls = Enumerable.Range(0, 3).Select(_ => broker.Start(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 2, 30, "*", null), None))).ToList();
        broker.Log.IsHeld = false;
        broker.Settle();

        var texts = new List<string>();
        foreach (var call in calls)
        {
            texts.AddRange((await call).Messages.Select(TestBroker.Text));
        }

        Assert.Equal(6, texts.Distinct().Count());
        Assert.Equal(6, texts.Count);
    }

    [Fact]
    public async Task A_lease_that_could_not_be_proposed_leaves_its_messages_to_the_next_receive()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        broker.Log.IsBusy = true;

        var refused = await broker.Run(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 1, 30, "*", null), None));
        broker.Log.IsBusy = false;

        Assert.Equal(BrokerError.Busy, refused.Failure?.Error);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_fallen_leader_fails_its_receives_and_the_lease_may_be_retried_elsewhere()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        broker.Log.IsHeld = true;
        var call = broker.Start(node => node.ReceiveAsync(TestBroker.Request("g", "t", 1, 30, "*", null), None));
        broker.Log.LoseLeadership(ProposalFailureKind.OutcomeUnknown);
        broker.Log.IsHeld = false;
        broker.Settle();
        broker.Log.Lead();

        Assert.Equal(BrokerError.OutcomeUnknown, (await call).Failure?.Error);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_record_is_not_delivered_and_keeps_no_other_from_it(bool isDiskError)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        var bad = await broker.Send("t", "bad");
        await broker.Send("t", "good");
        broker.Log.DamagedAt = isDiskError ? null : bad.Position;
        broker.Log.FailsAt = isDiskError ? bad.Position : null;

        var message = Assert.Single(await broker.Receive("g", "t"));

        Assert.Equal("good", TestBroker.Text(message));
        Assert.Equal(bad.Position, Assert.Single(broker.Log.Unreadable));
    }

    [Fact]
    public async Task Messages_that_stay_unfinished_do_not_hold_up_those_behind_them_until_too_many_do()
    {
        var broker = new TestBroker(
            new BrokerOptions { AutoCreateTopics = true, DeliveryWindow = 64, AsideMax = 100 });
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 300; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var received = new List<DeliveredMessage>();
        for (var i = 0; i < 8; i++)
        {
            received.AddRange(await broker.Receive("g", "t", batch: 32, invisibleSeconds: 600));
        }

        Assert.InRange(received.Count, 100 + 32, 100 + 64);
        Assert.Empty(await broker.Receive("g", "t"));
        var lag = Assert.Single((await broker.Run(node => node.DescribeGroupAsync("g", CancellationToken.None))).Group!.Queues).Lag;
        Assert.Equal(300, lag);
        foreach (var message in received.Take(60))
        {
            Assert.Null(await broker.Ack("g", "t", message));
        }

        Assert.Equal(32, (await broker.Receive("g", "t", batch: 32)).Count);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }
}
