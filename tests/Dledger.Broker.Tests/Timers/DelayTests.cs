using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Timers;

public sealed class DelayTests
{
    private static readonly MessageTypeSet Delayed = MessageTypeSet.Of(MessageType.Normal, MessageType.Delay);

    [Fact]
    public async Task A_delayed_message_is_not_delivered_before_its_time_and_is_delivered_then()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        var sent = await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(3));

        broker.Advance(TimeSpan.FromSeconds(2.98));
        Assert.Empty(await broker.Receive("g", "orders"));
        broker.Advance(TimeSpan.FromSeconds(0.05));

        var message = Assert.Single(await broker.Receive("g", "orders"));
        Assert.Equal("a", TestBroker.Text(message));
        Assert.Equal(sent.DeliverAtMicroseconds, message.DeliverAtMicroseconds);
        Assert.Equal(MessageType.Delay, message.Type);
        Assert.True(message.StoreTimeMicroseconds >= message.DeliverAtMicroseconds);
    }

    [Fact]
    public async Task A_delivery_time_in_the_past_delivers_at_once()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);

        var sent = await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(-3));

        Assert.Null(sent.DeliverAtMicroseconds);
        Assert.Null(sent.RecallHandle);
        Assert.Single(await broker.Receive("g", "orders"));
    }

    [Fact]
    public async Task A_receiver_that_waits_gets_the_message_when_it_is_due()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(3));
        var poll = broker.Poll("g", "orders");

        broker.Advance(TimeSpan.FromSeconds(3.1));

        Assert.Single((await poll).Messages);
    }

    [Fact]
    public async Task All_records_that_are_due_together_are_asked_for_before_the_first_is_read()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        for (var i = 0; i < 5; i++)
        {
            await broker.SendDelayed("orders", $"{i}", TimeSpan.FromSeconds(3));
        }

        broker.Log.Reads.Clear();
        broker.Advance(TimeSpan.FromSeconds(3.1));

        var reads = broker.Log.Reads.Take(10).ToList();
        Assert.All(reads.Take(5), read => Assert.True(read.IsAhead));
        Assert.Equal(reads.Take(5).Select(read => (read.Position, false)), reads.Skip(5));
    }

    [Fact]
    public async Task Messages_are_delivered_in_the_order_of_their_times_and_not_of_their_sending()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        foreach (var seconds in new[] { 5, 1, 3, 2, 4 })
        {
            await broker.SendDelayed("orders", $"{seconds}", TimeSpan.FromSeconds(seconds));
        }

        broker.Advance(TimeSpan.FromSeconds(6));

        var messages = await broker.Receive("g", "orders");
        Assert.Equal(["1", "2", "3", "4", "5"], messages.Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_message_may_be_delayed_by_a_year_and_not_longer()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "year", TimeSpan.FromDays(365));

        var tooFar = TestBroker.Draft("more") with
        {
            Type = MessageType.Delay,
            DeliverAtMicroseconds = broker.Time.NowMicroseconds + (long)TimeSpan.FromDays(366).TotalMicroseconds,
        };
        var outcome = await broker.Run(node => node.AppendAsync("orders", [tooFar], CancellationToken.None));

        Assert.Equal(BrokerError.InvalidArgument, outcome.Failure?.Error);
        Assert.Equal(BrokenRule.DeliveryTime, outcome.Failure?.Rule);
        Assert.Equal(1, broker.Node.Machine.PendingCount);
    }

    [Fact]
    public async Task A_topic_that_accepts_no_delayed_messages_refuses_them()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders");

        var draft = TestBroker.Draft("a") with { Type = MessageType.Delay, DeliverAtMicroseconds = 1 };
        var outcome = await broker.Run(node => node.AppendAsync("orders", [draft], CancellationToken.None));

        Assert.Equal(BrokerError.MessageTypeMismatch, outcome.Failure?.Error);
    }

    [Fact]
    public async Task Messages_wait_over_a_restart_with_and_without_a_checkpoint()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(30));
        broker.Restart(graceful: false);
        await broker.SendDelayed("orders", "b", TimeSpan.FromSeconds(20));
        broker.Restart(graceful: true);
        var hash = broker.ReplayedStateHash();

        Assert.Equal(hash, broker.StateHash);
        broker.Advance(TimeSpan.FromSeconds(31));

        var messages = await broker.Receive("g", "orders");
        Assert.Equal(["b", "a"], messages.Select(TestBroker.Text));
        Assert.Equal(0, broker.Node.Machine.PendingCount);
    }

    [Fact]
    public async Task A_new_leader_delivers_what_the_old_one_had_not_and_nothing_twice()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(1));
        broker.Log.IsHeld = true;
        broker.Advance(TimeSpan.FromSeconds(2));
        broker.Log.LoseLeadership();
        broker.Log.IsHeld = false;

        broker.Log.Lead();
        broker.Advance(TimeSpan.FromSeconds(1));

        Assert.Single(await broker.Receive("g", "orders"));
        Assert.Equal(broker.ReplayedStateHash(), broker.StateHash);
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_holds_nothing_else_up_and_is_delivered_once_it_is_mended()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        var bad = await broker.SendDelayed("orders", "bad", TimeSpan.FromSeconds(1));
        await broker.SendDelayed("orders", "good", TimeSpan.FromSeconds(1));
        broker.Log.DamagedAt = bad.Position;

        broker.Advance(TimeSpan.FromSeconds(2));
        var before = await broker.Receive("g", "orders");
        broker.Log.DamagedAt = null;
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("good", TestBroker.Text(Assert.Single(before)));
        Assert.Contains(bad.Position, broker.Log.Unreadable);
        Assert.Equal("bad", TestBroker.Text(Assert.Single(await broker.Receive("g", "orders"))));
    }

    [Fact]
    public async Task A_busy_log_delays_a_delivery_and_loses_none()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(1));
        broker.Log.IsBusy = true;
        broker.Advance(TimeSpan.FromSeconds(2));

        broker.Log.IsBusy = false;
        broker.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Single(await broker.Receive("g", "orders"));
    }

    [Fact]
    public async Task Pending_messages_go_with_their_topic()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(1));
        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("orders", CancellationToken.None)));
        await broker.CreateTopic("orders", types: Delayed);

        broker.Advance(TimeSpan.FromSeconds(2));

        Assert.Empty(await broker.Receive("g", "orders"));
        Assert.Equal(0, broker.Node.Machine.PendingCount);
    }
}
