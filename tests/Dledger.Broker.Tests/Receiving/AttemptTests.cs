using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class AttemptTests
{
    [Fact]
    public async Task A_repeated_attempt_gets_the_same_messages_again_without_another_attempt()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        await broker.Send("t", "b");

        var first = await broker.Receive("g", "t", attemptId: "x");
        var repeated = await broker.Receive("g", "t", attemptId: "x");
        var other = await broker.Receive("g", "t", attemptId: "y");

        Assert.Equal(2, first.Count);
        Assert.Equal(
            first.Select(message => (message.ReceiptHandle, message.Attempt)),
            repeated.Select(message => (message.ReceiptHandle, message.Attempt)));
        Assert.Empty(other);
    }

    [Fact]
    public async Task A_repeated_attempt_gets_only_what_was_not_acknowledged()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        var first = await broker.Receive("g", "t", attemptId: "x");

        Assert.Null(await broker.Ack("g", "t", first[0]));
        var repeated = await broker.Receive("g", "t", attemptId: "x");

        Assert.Equal(first[1].ReceiptHandle, Assert.Single(repeated).ReceiptHandle);
    }

    [Fact]
    public async Task After_the_lease_ended_an_attempt_is_a_new_one()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        await broker.Receive("g", "t", attemptId: "x", invisibleSeconds: 5);

        broker.Advance(TimeSpan.FromSeconds(6));
        var again = Assert.Single(await broker.Receive("g", "t", attemptId: "x"));

        Assert.Equal(2, again.Attempt);
    }

    [Fact]
    public async Task Two_calls_of_one_attempt_in_flight_together_get_the_same_messages()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.CreateGroup(new Broker.Groups.GroupSpec { Name = "g" });
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        broker.Log.IsHeld = true;
        var request = TestBroker.Request("g", "t", 1, 30, "*", "x");
        var one = broker.Start(node => node.ReceiveAsync(request, CancellationToken.None));
        var two = broker.Start(node => node.ReceiveAsync(request, CancellationToken.None));
        broker.Log.IsHeld = false;
        broker.Settle();

        var handles = new[] { await one, await two }.Select(outcome => Assert.Single(outcome.Messages).ReceiptHandle);
        Assert.Single(handles.Distinct());
        Assert.Equal("b", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task A_repeated_attempt_survives_a_change_of_leader()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        var first = Assert.Single(await broker.Receive("g", "t", attemptId: "x"));

        broker.Restart();
        var repeated = Assert.Single(await broker.Receive("g", "t", attemptId: "x"));

        Assert.Equal(first.ReceiptHandle, repeated.ReceiptHandle);
    }
}
