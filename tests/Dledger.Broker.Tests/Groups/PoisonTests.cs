using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Parking;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Groups;

public sealed class PoisonTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_parked_message_holds_back_its_message_group_and_no_other_one()
    {
        var broker = await Prepare(PoisonMode.Park);

        await Poison(broker);

        Assert.Equal("b1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        await broker.Send("t", "a3", group: "a");
        Assert.Empty(await broker.Receive("g", "t"));
        var parked = (await broker.Run(node => node.ListParkedAsync(Selection(), None))).List!;
        var message = Assert.Single(parked.Messages);
        Assert.Equal((1, "t", 0, 0L, 2, "a", "id-a1"), (
            parked.Count, message.Topic, message.QueueId, message.Offset.Value, message.Attempts, message.MessageGroup, message.MessageId));
        Assert.True(message.WaitingBehind >= 1);
    }

    [Fact]
    public async Task A_released_message_comes_first_again_with_its_attempts_forgotten()
    {
        var broker = await Prepare(PoisonMode.Park);
        await Poison(broker);
        broker.Restart(graceful: true);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());

        var released = await broker.Run(node => node.ReleaseParkedAsync(Selection() with { MessageGroup = "a" }, None));

        Assert.Equal((1, null), released);
        var again = await broker.Receive("g", "t");
        Assert.Equal(["a1", "a2", "b1"], again.Select(TestBroker.Text).Order());
        Assert.Equal(["a1", "a2"], again.Select(TestBroker.Text).Where(text => text[0] == 'a'));
        Assert.All(again, message => Assert.Equal(1, message.Attempt));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_dropped_message_is_a_dead_letter_and_its_message_group_goes_on()
    {
        var broker = await Prepare(PoisonMode.Park);
        await Poison(broker);

        Assert.Equal((1, null), await broker.Run(node => node.DropParkedAsync(Selection(), None)));

        Assert.Equal(["a2", "b1"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
        var dead = Assert.Single(await broker.Receive("watch", "%DLQ%g"));
        Assert.Equal(("a1", DeadLetterReason.DroppedByOperator), (TestBroker.Text(dead), dead.DeadLetterOrigin!.Value.Reason));
    }

    [Fact]
    public async Task A_selection_that_names_another_message_group_leaves_the_parked_ones()
    {
        var broker = await Prepare(PoisonMode.Park);
        await Poison(broker);

        Assert.Equal((0, null), await broker.Run(
            node => node.ReleaseParkedAsync(Selection() with { MessageGroup = "b" }, None)));
        var (_, failure) = await broker.Run(node => node.ReleaseParkedAsync(Selection() with { Offset = 0 }, None));

        Assert.Equal(BrokerError.InvalidArgument, failure?.Error);
        Assert.Equal(1, (await broker.Run(node => node.ListParkedAsync(Selection(), None))).List!.Count);
    }

    [Fact]
    public async Task A_blocked_message_is_tried_for_ever_with_the_last_step_of_the_back_off()
    {
        var broker = await Prepare(PoisonMode.Block);
        await Poison(broker);

        Assert.Equal("b1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 600))));
        Assert.Empty(await broker.Receive("g", "t"));
        broker.Advance(TimeSpan.FromSeconds(101));
        var again = Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 5));

        Assert.Equal(("a1", 3), (TestBroker.Text(again), again.Attempt));
        Assert.Null(broker.Node.FindTopic("%DLQ%g"));
    }

    [Theory]
    [InlineData(PoisonMode.Park)]
    [InlineData(PoisonMode.Block)]
    public async Task A_receiver_that_gives_up_does_not_get_around_the_setting(PoisonMode mode)
    {
        var broker = await Prepare(mode);
        var first = Assert.Single(await broker.Receive("g", "t", batch: 1));

        Assert.Null(await broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", first.ReceiptHandle, None)));

        Assert.Null(broker.Node.FindTopic("%DLQ%g"));
        Assert.Equal("b1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", first))?.Error);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task The_back_off_is_kept_after_a_lease_that_ran_out_when_the_group_says_so()
    {
        var broker = await Prepare(PoisonMode.DeadLetter, backoffOnExpiry: true);
        var first = Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("b1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 600))));
        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", first))?.Error);
        broker.Restart(graceful: true);

        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(["a1", "a2"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task In_a_group_without_order_one_message_is_parked()
    {
        var broker = await Prepare(PoisonMode.Park, fifo: false);
        await Poison(broker);

        Assert.Equal(["a2", "b1"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
        Assert.Equal((1, null), await broker.Run(node => node.ReleaseParkedAsync(Selection(), None)));
        Assert.Equal("a1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    private static ParkingSelection Selection() => new() { Group = "g" };

    // Two attempts of two seconds; only the first message is asked for.
    private static async Task Poison(TestBroker broker)
    {
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("a1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 2))));
            broker.Advance(TimeSpan.FromSeconds(3));
        }
    }

    private static async Task<TestBroker> Prepare(PoisonMode mode, bool fifo = true, bool backoffOnExpiry = false)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", 1, MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec
        {
            Name = "g",
            Fifo = fifo,
            Settings = new GroupSettings
            {
                MaxAttempts = 2,
                Poison = mode,
                BackoffOnExpiry = backoffOnExpiry,
                Backoff = BackoffPolicy.Customized([TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100)]),
            },
        });
        foreach (var body in new[] { "a1", "a2", "b1" })
        {
            await broker.Send("t", body, group: body[..1]);
        }

        return broker;
    }
}
