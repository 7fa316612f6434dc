using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class LongPollTests
{
    [Fact]
    public async Task A_parked_receive_wakes_up_with_the_next_message()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 8);
        var poll = broker.Poll("g", "t");
        Assert.False(poll.IsCompleted);

        await broker.Send("t", "m");

        Assert.Equal("m", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task A_parked_receive_ends_empty_when_its_time_is_up_and_the_timer_stops()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var poll = broker.Poll("g", "t", longPollSeconds: 5);

        broker.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(poll.IsCompleted);
        broker.Advance(TimeSpan.FromSeconds(0.3));

        Assert.True((await poll).Succeeded);
        Assert.Empty((await poll).Messages);
        broker.Advance(TimeSpan.FromSeconds(1));
        Assert.False(broker.Time.HasRunningTimer);
    }

    [Fact]
    public async Task One_message_wakes_one_receiver_in_order_of_arrival()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        var polls = Enumerable.Range(0, 3).Select(_ => broker.Poll("g", "t")).ToList();
        var before = broker.Log.ProposalCount;

        await broker.Send("t", "m");

        Assert.Single((await polls[0]).Messages);
        Assert.False(polls[1].IsCompleted);
        Assert.False(polls[2].IsCompleted);
        Assert.Equal(2, broker.Log.ProposalCount - before);
    }

    [Fact]
    public async Task A_batch_wakes_as_many_receivers_as_it_has_messages_for()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        var polls = Enumerable.Range(0, 3).Select(_ => broker.Poll("g", "t", batch: 1)).ToList();

        await broker.Run(node => node.AppendAsync(
            "t", [TestBroker.Draft("a"), TestBroker.Draft("b")], CancellationToken.None));

        Assert.Equal(2, polls.Count(poll => poll.IsCompleted));
    }

    [Fact]
    public async Task A_cancelled_poll_locks_nothing()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        using var cancellation = new CancellationTokenSource();
        var poll = broker.Poll("g", "t", cancellationToken: cancellation.Token);

        cancellation.Cancel();
        broker.Settle();
        await broker.Send("t", "m");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => poll);
        Assert.Equal(1, Assert.Single(await broker.Receive("g", "t")).Attempt);
    }

    [Fact]
    public async Task A_poll_cancelled_after_its_lease_was_proposed_gives_the_message_back_at_once()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        using var cancellation = new CancellationTokenSource();
        await broker.Send("t", "m");
        await broker.CreateGroup(new Broker.Groups.GroupSpec { Name = "g" });
        broker.Log.IsHeld = true;
        var poll = broker.Poll("g", "t", cancellationToken: cancellation.Token);
        cancellation.Cancel();
        broker.Log.IsHeld = false;
        broker.Settle();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => poll);
        Assert.Equal(1, Assert.Single(await broker.Receive("g", "t")).Attempt);
    }

    [Fact]
    public async Task A_message_that_becomes_visible_again_wakes_a_parked_receive()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        var poll = broker.Poll("g", "t", longPollSeconds: 20);

        broker.Advance(TimeSpan.FromSeconds(5.5));

        Assert.Equal(2, Assert.Single((await poll).Messages).Attempt);
    }

    [Fact]
    public async Task Losing_leadership_ends_parked_receives_with_the_new_leader()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var poll = broker.Poll("g", "t");

        broker.Log.LoseLeadership();
        broker.Settle();

        Assert.Equal(BrokerError.NotLeader, (await poll).Failure?.Error);
    }

    [Fact]
    public async Task Deleting_the_topic_ends_its_parked_receives()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var poll = broker.Poll("g", "t");

        await broker.Run(node => node.DeleteTopicAsync("t", CancellationToken.None));

        Assert.Equal(BrokerError.TopicNotFound, (await poll).Failure?.Error);
    }

    [Fact]
    public async Task More_parked_receives_than_the_limit_are_refused_as_busy()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, ParkedReceivesMax = 2 });
        await broker.CreateTopic("t");
        var parked = new[] { broker.Poll("g", "t"), broker.Poll("g", "t") };

        var refused = await broker.Poll("g", "t");

        Assert.Equal(BrokerError.Busy, refused.Failure?.Error);
        Assert.DoesNotContain(parked, poll => poll.IsCompleted);
    }

    [Fact]
    public async Task Polls_that_timed_out_do_not_pile_up()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        for (var i = 0; i < 200; i++)
        {
            _ = broker.Poll("g", "t", longPollSeconds: 1);
            broker.Advance(TimeSpan.FromSeconds(1.1));
        }

        Assert.InRange(broker.Node.Machine.Receivers.ParkedCount, 0, 64);
        Assert.Equal(0, broker.Node.Polls.Count);
    }

    [Fact]
    public async Task An_idle_broker_with_parked_receives_proposes_nothing()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var poll = broker.Poll("g", "t", longPollSeconds: 20);
        var before = broker.Log.ProposalCount;

        broker.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(before, broker.Log.ProposalCount);
        Assert.False(poll.IsCompleted);
    }
}
