using Dledger.Broker.Naming;
using Dledger.Broker.Receipts;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receipts;

public sealed class ChangeInvisibleTests
{
    [Fact]
    public async Task The_message_comes_back_at_the_new_time()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 30));

        Assert.True((await Change(broker, message.ReceiptHandle, 5)).Succeeded);
        broker.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(await broker.Receive("g", "t"));
        broker.Advance(TimeSpan.FromSeconds(1.2));

        Assert.Equal(2, Assert.Single(await broker.Receive("g", "t")).Attempt);
    }

    [Fact]
    public async Task Old_and_new_handle_are_good_until_the_next_delivery()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        var messages = await broker.Receive("g", "t");

        var changed = await Change(broker, messages[0].ReceiptHandle, 20);
        await Change(broker, messages[1].ReceiptHandle, 20);

        Assert.Null(await broker.Ack("g", "t", changed.ReceiptHandle));
        Assert.Null(await broker.Ack("g", "t", messages[1].ReceiptHandle));
    }

    [Fact]
    public async Task An_extension_outlives_the_first_lease()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 10));
        await Change(broker, message.ReceiptHandle, 60);

        broker.Advance(TimeSpan.FromSeconds(50));

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", message));
    }

    [Fact]
    public async Task Zero_makes_the_message_visible_at_once_and_the_handle_invalid()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));

        Assert.True((await Change(broker, message.ReceiptHandle, 0)).Succeeded);

        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", message))?.Error);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_suspended_message_comes_back_without_another_attempt()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));

        await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", message.ReceiptHandle, TimeSpan.FromSeconds(3), suspend: true, CancellationToken.None));
        broker.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(1, Assert.Single(await broker.Receive("g", "t")).Attempt);
    }

    [Fact]
    public async Task A_stale_handle_changes_nothing_and_comes_back_in_the_refusal()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));

        var outcome = await Change(broker, message.ReceiptHandle, 60);

        Assert.Equal(BrokerError.InvalidHandle, outcome.Failure?.Error);
        Assert.Equal(message.ReceiptHandle, outcome.ReceiptHandle);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData((12 * 3600) + 1)]
    public async Task A_duration_outside_zero_to_twelve_hours_is_refused(int seconds)
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));

        var outcome = await Change(broker, message.ReceiptHandle, seconds);

        Assert.Equal(BrokenRule.InvisibleDuration, outcome.Failure?.Rule);
    }

    private static Task<ChangeInvisibleOutcome> Change(TestBroker broker, string handle, double seconds) =>
        broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", handle, TimeSpan.FromSeconds(seconds), suspend: false, CancellationToken.None));
}
