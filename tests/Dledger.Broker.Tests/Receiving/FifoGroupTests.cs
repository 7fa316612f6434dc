using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class FifoGroupTests
{
    [Fact]
    public async Task Nothing_overtakes_a_record_that_cannot_be_read()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true });
        var first = await broker.Send("t", "first");
        await broker.Send("t", "second");
        broker.Log.DamagedAt = first.Position;

        var call = await broker.Run(
            node => node.ReceiveAsync(TestBroker.Request("g", "t", 8, 5, "*", null), CancellationToken.None));
        Assert.Equal(BrokerError.Unavailable, call.Failure?.Error);
        broker.Log.DamagedAt = null;
        broker.Advance(TimeSpan.FromSeconds(6));

        var messages = await broker.Receive("g", "t", batch: 8);
        Assert.Equal(["first", "second"], messages.Select(TestBroker.Text));
        Assert.Equal([2, 1], messages.Select(message => message.Attempt));
    }

    [Fact]
    public async Task A_queue_is_locked_until_its_batch_is_finished()
    {
        var broker = await Prepare(messages: 4);

        var batch = await broker.Receive("g", "t", batch: 2);
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", batch[1]));
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", batch[0]));

        Assert.Equal(["m2", "m3"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task Messages_of_an_ended_lease_come_again_in_order_before_newer_ones()
    {
        var broker = await Prepare(messages: 4);
        var batch = await broker.Receive("g", "t", batch: 3, invisibleSeconds: 5);
        Assert.Null(await broker.Ack("g", "t", batch[1]));

        broker.Advance(TimeSpan.FromSeconds(6));
        var again = await broker.Receive("g", "t");

        Assert.Equal(["m0", "m2", "m3"], again.Select(TestBroker.Text));
        Assert.Equal([2, 2, 1], again.Select(message => message.Attempt));
    }

    [Fact]
    public async Task Two_receives_in_flight_do_not_share_a_queue()
    {
        var broker = await Prepare(messages: 4);
        broker.Log.IsHeld = true;
        var request = TestBroker.Request("g", "t", 1, 30, "*", null);
        var one = broker.Start(node => node.ReceiveAsync(request, CancellationToken.None));
        var two = broker.Start(node => node.ReceiveAsync(request, CancellationToken.None));
        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Equal(1, (await one).Messages.Count + (await two).Messages.Count);
    }

    [Fact]
    public async Task An_acknowledgement_that_unlocks_the_queue_wakes_a_parked_receive()
    {
        var broker = await Prepare(messages: 2);
        var first = Assert.Single(await broker.Receive("g", "t", batch: 1));
        var poll = broker.Poll("g", "t");
        Assert.False(poll.IsCompleted);

        await broker.Ack("g", "t", first);

        Assert.Equal("m1", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task A_change_to_zero_frees_message_and_queue_at_once()
    {
        var broker = await Prepare(messages: 2);
        var first = Assert.Single(await broker.Receive("g", "t", batch: 1));

        await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", first.ReceiptHandle, TimeSpan.Zero, suspend: false, CancellationToken.None));
        var again = await broker.Receive("g", "t");

        Assert.Equal(["m0", "m1"], again.Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_message_that_keeps_coming_back_ends_as_a_dead_letter_and_frees_the_queue()
    {
        var broker = await Prepare(messages: 2, maxAttempts: 2);
        for (var i = 0; i < 2; i++)
        {
            var message = Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 5));
            Assert.Equal("m0", TestBroker.Text(message));
            broker.Advance(TimeSpan.FromSeconds(6));
        }

        Assert.Equal("m1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal("m0", TestBroker.Text(Assert.Single(await broker.Receive("watch", "%DLQ%g"))));
    }

    private static async Task<TestBroker> Prepare(int messages, int maxAttempts = 17)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", 1, MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true, Settings = new GroupSettings { MaxAttempts = maxAttempts } });
        for (var i = 0; i < messages; i++)
        {
            await broker.Send("t", $"m{i}", group: "order");
        }

        return broker;
    }
}
