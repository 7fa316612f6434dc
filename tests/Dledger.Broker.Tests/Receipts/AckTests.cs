using Dledger.Broker.Receipts;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receipts;

public sealed class AckTests
{
    [Fact]
    public async Task An_acknowledged_message_never_comes_back_and_a_repeated_ack_is_fine()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));

        Assert.Null(await broker.Ack("g", "t", message));
        Assert.Null(await broker.Ack("g", "t", message));
        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_handle_whose_message_became_visible_again_is_invalid()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", message))?.Error);
    }

    [Fact]
    public async Task A_handle_of_an_earlier_delivery_does_not_finish_the_newer_one()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var first = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));
        var second = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));

        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", first))?.Error);
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(3, Assert.Single(await broker.Receive("g", "t")).Attempt);
        Assert.NotEqual(first.ReceiptHandle, second.ReceiptHandle);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("ÄÖÜAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_handle_that_is_not_ours_is_invalid(string handle)
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await broker.Receive("g", "t");

        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", handle))?.Error);
    }

    [Fact]
    public async Task A_handle_with_any_character_changed_is_invalid()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var handle = Assert.Single(await broker.Receive("g", "t")).ReceiptHandle;

        for (var i = 0; i < handle.Length; i++)
        {
            var forged = handle[..i] + (handle[i] == 'A' ? 'B' : 'A') + handle[(i + 1)..];
            Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", forged))?.Error);
        }

        Assert.Null(await broker.Ack("g", "t", handle));
    }

    [Fact]
    public async Task A_handle_of_another_group_or_topic_is_invalid()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await broker.Send("u", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));
        await broker.Receive("h", "u");

        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("h", "t", message))?.Error);
        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "u", message))?.Error);
        Assert.Null(await broker.Ack("g", "t", message));
    }

    [Fact]
    public async Task Each_handle_of_a_call_has_its_own_outcome()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        var messages = await broker.Receive("g", "t");

        var outcomes = await broker.Run(node => node.AckAsync(
            "g", "t", [messages[0].ReceiptHandle, "forged", messages[1].ReceiptHandle], CancellationToken.None));

        Assert.Equal([true, false, true], outcomes.Select(outcome => outcome.Succeeded));
    }

    [Fact]
    public async Task Acknowledgements_out_of_order_move_the_commit_offset_to_the_oldest_unfinished_message()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 4; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var messages = await broker.Receive("g", "t");
        await broker.Ack("g", "t", messages[1]);
        await broker.Ack("g", "t", messages[3]);
        Assert.Equal((0, 2, 2), await Progress(broker));
        await broker.Ack("g", "t", messages[0]);
        Assert.Equal((2, 1, 1), await Progress(broker));
        await broker.Ack("g", "t", messages[2]);

        Assert.Equal((4, 0, 0), await Progress(broker));
    }

    [Fact]
    public async Task Leases_and_handles_survive_a_restart()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));

        broker.Restart(graceful: false);

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", message));
    }

    [Fact]
    public async Task A_node_that_does_not_lead_refuses_every_handle_as_not_leader()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));
        broker.Log.LoseLeadership();

        Assert.Equal(BrokerError.NotLeader, (await broker.Ack("g", "t", message))?.Error);
    }

    [Fact]
    public void A_receipt_survives_its_text_form_and_the_text_is_frozen()
    {
        var codec = new ReceiptCodec(new Guid("11111111-2222-3333-4444-555555555555"));
        var receipt = new Receipt(1, 2, 3, new(4, 5_000_000_000, 6_000_000_000_000), 7);

        var text = codec.Encode(receipt);

        Assert.Equal(ReceiptCodec.TextLength, text.Length);
        Assert.True(codec.TryDecode(text, out var decoded));
        Assert.Equal(receipt, decoded);
        Assert.Equal("AQEAAgAAAAMAAAAEAAAAAPIFKgEAAAAAYN77dAUAAAcAQ4kaj7cyXtUQll1A", text);
        Assert.False(new ReceiptCodec(Guid.Empty).TryDecode(text, out _));
    }

    private static async Task<(long Commit, int InFlight, long Lag)> Progress(TestBroker broker)
    {
        var group = (await broker.Run(node => node.DescribeGroupAsync("g", CancellationToken.None))).Group;
        var queue = Assert.Single(group!.Queues);
        return (queue.CommitOffset.Value, queue.InFlight, queue.Lag);
    }
}
