using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Timers;
using static System.Threading.CancellationToken;

namespace Dledger.Broker.Tests.Timers;

public sealed class PendingTests
{
    private static readonly MessageTypeSet Delayed = MessageTypeSet.Of(MessageType.Normal, MessageType.Delay);
    private static readonly PendingSelection All = new() { Topic = "orders" };

    [Fact]
    public async Task Pending_messages_are_listed_in_the_order_of_their_delivery_page_by_page()
    {
        var broker = await Make();
        var page = await List(broker, All, 2);
        var rest = await List(broker, All, 2, page.NextPage);

        Assert.Equal(["id-c", "id-a"], page.Messages.Select(message => message.MessageId));
        Assert.Equal(["id-b"], rest.Messages.Select(message => message.MessageId));
        Assert.Null(rest.NextPage);
        Assert.Equal(3, page.PendingCount);
        Assert.Equal(["order-1"], page.Messages[0].Keys);
    }

    [Fact]
    public async Task A_selection_by_key_id_and_time_finds_those_that_meet_all_of_it()
    {
        var broker = await Make();
        var now = broker.Time.NowMicroseconds;

        var byKey = await List(broker, All with { MessageKey = "order-1" });
        var byId = await List(broker, All with { MessageId = "id-b" });
        var byTime = await List(broker, All with { FromMicroseconds = now + 9_000_000, UntilMicroseconds = now + 20_000_000 });
        var byBoth = await List(broker, All with { MessageKey = "order-1", UntilMicroseconds = now + 6_000_000 });

        Assert.Equal(["id-c", "id-b"], byKey.Messages.Select(message => message.MessageId));
        Assert.Equal(["id-b"], byId.Messages.Select(message => message.MessageId));
        Assert.Equal(["id-a"], byTime.Messages.Select(message => message.MessageId));
        Assert.Equal(["id-c"], byBoth.Messages.Select(message => message.MessageId));
    }

    [Fact]
    public async Task What_is_cancelled_by_key_is_not_delivered_and_the_rest_is()
    {
        var broker = await Make();

        var cancelled = await broker.Run(node => node.CancelPendingAsync(All with { MessageKey = "order-1" }, 100, null, None));
        broker.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(2, cancelled.ChangedCount);
        Assert.Equal("a", TestBroker.Text(Assert.Single(await broker.Receive("g", "orders"))));
    }

    [Fact]
    public async Task What_is_moved_is_delivered_at_its_new_time_and_says_so()
    {
        var broker = await Make();
        var later = broker.Time.NowMicroseconds + 100_000_000;

        var moved = await broker.Run(node => node.MovePendingAsync(All with { MessageId = "id-a" }, later, 100, null, None));
        broker.Advance(TimeSpan.FromSeconds(60));
        var before = await broker.Receive("g", "orders");
        broker.Advance(TimeSpan.FromSeconds(41));

        Assert.Equal(1, moved.ChangedCount);
        Assert.Equal(["c", "b"], before.Select(TestBroker.Text));
        var message = Assert.Single((await broker.Receive("g", "orders")), message => TestBroker.Text(message) == "a");
        Assert.Equal(later, message.DeliverAtMicroseconds);
    }

    [Fact]
    public async Task A_message_that_is_moved_into_the_past_is_delivered_at_once()
    {
        var broker = await Make();

        await broker.Run(node => node.MovePendingAsync(All with { MessageId = "id-b" }, 0, 100, null, None));
        broker.Advance(TimeSpan.FromMilliseconds(20));

        Assert.Equal("b", TestBroker.Text(Assert.Single(await broker.Receive("g", "orders"))));
    }

    [Fact]
    public async Task The_sender_can_still_recall_a_message_that_was_moved_also_after_a_restart()
    {
        var broker = await Make();
        var sent = await broker.SendDelayed("orders", "d", TimeSpan.FromSeconds(10));
        var later = broker.Time.NowMicroseconds + 100_000_000;
        await broker.Run(node => node.MovePendingAsync(All with { MessageId = "id-d" }, later, 100, null, None));
        broker.Restart();

        var outcome = await broker.Run(node => node.RecallAsync("orders", sent.RecallHandle!, None));

        Assert.Null(outcome.Failure);
        Assert.Equal(broker.ReplayedStateHash(), broker.StateHash);
        Assert.DoesNotContain((await List(broker, All)).Messages, message => message.MessageId == "id-d");
        Assert.Equal(0, broker.Node.Machine.State.Timers.Moved.Count);
    }

    [Fact]
    public async Task A_recall_finds_a_message_that_is_moved_at_the_same_moment()
    {
        var broker = await Make();
        var sent = await broker.SendDelayed("orders", "d", TimeSpan.FromSeconds(10));
        var later = broker.Time.NowMicroseconds + 100_000_000;

        // Both look before either changes anything; the move comes first in the log.
        var (move, recall) = await broker.Run(async node =>
        {
            var moving = node.MovePendingAsync(All with { MessageId = "id-d" }, later, 100, null, None).AsTask();
            var recalling = node.RecallAsync("orders", sent.RecallHandle!, None).AsTask();
            return (await moving, await recalling);
        });

        Assert.Equal(1, move.ChangedCount);
        Assert.Null(recall.Failure);
        Assert.DoesNotContain((await List(broker, All)).Messages, message => message.MessageId == "id-d");
    }

    [Fact]
    public async Task A_listed_message_can_be_recalled_by_the_handle_that_is_listed()
    {
        var broker = await Make();
        var listed = (await List(broker, All)).Messages[0];

        Assert.Null((await broker.Run(node => node.RecallAsync("orders", listed.RecallHandle, None))).Failure);
        Assert.Equal(2, (await List(broker, All)).PendingCount);
    }

    [Fact]
    public async Task Bad_pages_sizes_and_times_are_refused()
    {
        var broker = await Make();

        Assert.Equal(BrokerError.InvalidArgument, (await List(broker, All, 0)).Failure?.Error);
        Assert.Equal(BrokerError.InvalidArgument, (await List(broker, All, 1_001)).Failure?.Error);
        Assert.Equal(BrokerError.InvalidArgument, (await List(broker, All, 1, "x.y")).Failure?.Error);
        Assert.Equal(
            BrokerError.InvalidArgument,
            (await List(broker, All with { FromMicroseconds = 5, UntilMicroseconds = 4 })).Failure?.Error);
        Assert.Equal(BrokerError.TopicNotFound, (await List(broker, new PendingSelection { Topic = "none" })).Failure?.Error);
    }

    private static async Task<TestBroker> Make()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(10), "order-2");
        await broker.SendDelayed("orders", "b", TimeSpan.FromSeconds(50), "order-1");
        await broker.SendDelayed("orders", "c", TimeSpan.FromSeconds(5), "order-1");
        return broker;
    }

    private static Task<PendingPage> List(
        TestBroker broker, PendingSelection selection, int count = 100, string? page = null) =>
        broker.Run(node => node.ListPendingAsync(selection, count, page, None));
}
