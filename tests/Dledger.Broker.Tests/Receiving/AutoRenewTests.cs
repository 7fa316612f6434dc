using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class AutoRenewTests
{
    [Fact]
    public async Task An_auto_renewed_message_stays_invisible_while_its_client_lives_and_its_first_handle_stays_good()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = await ReceiveRenewed(broker);

        for (var i = 0; i < 30; i++)
        {
            broker.Node.ClientSeen("client", "g");
            broker.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", message));
    }

    [Fact]
    public async Task A_delay_far_below_the_back_off_is_raised_to_it_for_a_library_that_cannot_count()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = await ReceiveRenewed(broker);

        var change = await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", message.ReceiptHandle, TimeSpan.FromMilliseconds(1), false, CancellationToken.None, raisesToBackoff: true));

        Assert.True(change.Succeeded);
        broker.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Empty(await broker.Receive("g", "t"));
        broker.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(2, Assert.Single(await broker.Receive("g", "t")).Attempt);
    }

    [Fact]
    public async Task A_simple_consumer_gets_the_short_delay_that_it_asks_for()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));

        await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", message.ReceiptHandle, TimeSpan.Zero, false, CancellationToken.None, raisesToBackoff: true));

        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_silent_client_loses_its_messages_within_90_seconds_and_one_term()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await ReceiveRenewed(broker);

        broker.Advance(TimeSpan.FromSeconds(90));
        var queues = (await broker.Run(node => node.DescribeGroupAsync("g", CancellationToken.None))).Group!.Queues;
        Assert.Equal(1, queues.Sum(queue => queue.InFlight));
        broker.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(2, Assert.Single(await broker.Receive("g", "t")).Attempt);
    }

    [Fact]
    public async Task A_client_that_says_goodbye_loses_its_messages_with_the_running_term()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await ReceiveRenewed(broker);

        broker.Node.ClientTerminated("client");
        broker.Advance(TimeSpan.FromSeconds(61));

        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task Renewal_ends_after_three_hours()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await ReceiveRenewed(broker);

        for (var minutes = 0; minutes < 179; minutes++)
        {
            broker.Node.ClientSeen("client", "g");
            broker.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Empty(await broker.Receive("g", "t"));
        broker.Node.ClientSeen("client", "g");
        broker.Advance(TimeSpan.FromMinutes(2));
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_new_leader_does_not_renew_what_it_did_not_grant()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await ReceiveRenewed(broker);
        broker.Restart();

        for (var i = 0; i < 7; i++)
        {
            broker.Node.ClientSeen("client", "g");
            broker.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_renewal_that_was_refused_is_tried_again()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        await ReceiveRenewed(broker);

        broker.Node.ClientSeen("client", "g");
        broker.Advance(TimeSpan.FromSeconds(39));
        broker.Log.IsBusy = true;
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        broker.Log.Step();
        broker.Log.IsBusy = false;
        broker.Advance(TimeSpan.FromSeconds(30));

        Assert.Empty(await broker.Receive("g", "t"));
    }

    private static async Task<DeliveredMessage> ReceiveRenewed(TestBroker broker)
    {
        var outcome = await broker.Run(node => node.ReceiveAsync(
            new ReceiveRequest { Group = "g", Topic = "t", AutoRenew = true, ClientId = "client" },
            CancellationToken.None));
        return Assert.Single(outcome.Messages);
    }
}
