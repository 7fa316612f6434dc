using Dledger.Broker.Filtering;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Offsets;

public sealed class PullTests
{
    [Fact]
    public async Task A_pull_reads_in_order_from_its_offset_and_leaves_the_group_where_it_is()
    {
        var broker = await SeekTests.WithMessages(5);
        var hash = broker.StateHash;

        var outcome = await Pull(broker, offset: 1, batch: 3);

        Assert.Equal(["m1", "m2", "m3"], outcome.Messages.Select(TestBroker.Text));
        Assert.Equal([1L, 2, 3], outcome.Messages.Select(message => message.QueueOffset.Value));
        Assert.All(outcome.Messages, message => Assert.Empty(message.ReceiptHandle));
        Assert.Equal(4, outcome.NextOffset);
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task A_pull_at_the_end_waits_for_the_next_message_of_its_queue_and_costs_nothing_meanwhile()
    {
        var broker = await SeekTests.WithMessages(4, queues: 2);
        var waiting = Poll(broker, offset: 2);
        var before = broker.Log.ProposalCount;
        broker.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(before, broker.Log.ProposalCount);

        var other = await broker.Send("t", "first");
        var mine = other.QueueId == 0 ? other : await broker.Send("t", "second");

        Assert.Equal(mine.QueueOffset, Assert.Single((await waiting).Messages).QueueOffset);
        Assert.Equal(3, (await waiting).NextOffset);
    }

    [Fact]
    public async Task All_pulls_that_wait_at_the_same_place_get_the_message()
    {
        var broker = await SeekTests.WithMessages(0);
        var waiting = Enumerable.Range(0, 5).Select(_ => Poll(broker, offset: 0)).ToList();

        await broker.Send("t", "m");

        Assert.All(await Task.WhenAll(waiting), outcome => Assert.Single(outcome.Messages));
    }

    [Fact]
    public async Task A_pull_whose_time_is_up_says_where_to_read_on()
    {
        var broker = await SeekTests.WithMessages(3);
        var waiting = Poll(broker, offset: 1, filter: "none", seconds: 1);
        Assert.False(waiting.IsCompleted);

        broker.Advance(TimeSpan.FromSeconds(1.2));

        var outcome = await waiting;
        Assert.Null(outcome.Failure);
        Assert.Empty(outcome.Messages);
        Assert.Equal(3, outcome.NextOffset);
        Assert.Equal(0, broker.Node.Polls.Count);
        Assert.False(broker.Time.HasRunningTimer);
    }

    [Fact]
    public async Task A_filter_leaves_out_and_is_through_with_what_it_left_out()
    {
        var broker = await SeekTests.WithMessages(0);
        for (var i = 0; i < 5_000; i++)
        {
            await broker.Send("t", $"m{i}", tag: i == 4_900 ? "rare" : "common");
        }

        var outcome = await Pull(broker, offset: 0, filter: "rare");

        Assert.Equal(4_900, Assert.Single(outcome.Messages).QueueOffset.Value);
        Assert.Equal(5_000, outcome.NextOffset);
    }

    [Theory]
    [InlineData(-1L, 0L)]
    [InlineData(4L, 3L)]
    public async Task An_offset_outside_of_the_queue_is_refused_with_the_nearest_inside(long offset, long nearest)
    {
        var broker = await SeekTests.WithMessages(3);

        var outcome = await broker.Run(node => node.PullAsync(Request(offset), CancellationToken.None));

        Assert.Equal(BrokenRule.Offset, outcome.Failure?.Rule);
        Assert.Contains("0 to 3", outcome.Failure?.Detail, StringComparison.Ordinal);
        Assert.Equal(nearest, outcome.NextOffset);
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_ends_the_answer_before_it()
    {
        var broker = await SeekTests.WithMessages(1);
        var bad = await broker.Send("t", "bad");
        broker.Log.DamagedAt = bad.Position;

        var first = await Pull(broker, offset: 0);
        var second = await broker.Run(node => node.PullAsync(Request(1), CancellationToken.None));

        Assert.Equal("m0", TestBroker.Text(Assert.Single(first.Messages)));
        Assert.Equal(1, first.NextOffset);
        Assert.Equal(BrokerError.Unavailable, second.Failure?.Error);
    }

    [Fact]
    public async Task More_pulls_than_may_wait_are_refused_and_receives_count_with_them()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, ParkedReceivesMax = 2 });
        await broker.CreateTopic("t");
        var receive = broker.Poll("g", "t");
        var waiting = Poll(broker, offset: 0);

        var refused = await Poll(broker, offset: 0);

        Assert.Equal(BrokerError.Busy, refused.Failure?.Error);
        Assert.False(receive.IsCompleted || waiting.IsCompleted);
    }

    [Fact]
    public async Task Losing_leadership_or_the_topic_ends_pulls_that_wait()
    {
        var broker = await SeekTests.WithMessages(0);
        await broker.CreateTopic("other");
        var deleted = Poll(broker, offset: 0);
        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("t", CancellationToken.None)));
        Assert.Equal(BrokerError.TopicNotFound, (await deleted).Failure?.Error);
        var waiting = broker.Start(node => node.PullAsync(
            Request(0) with { Topic = "other", LongPoll = TimeSpan.FromSeconds(10) }, CancellationToken.None));

        broker.Log.LoseLeadership();
        broker.Settle();

        Assert.Equal(BrokerError.NotLeader, (await waiting).Failure?.Error);
    }

    [Fact]
    public async Task Pulls_that_timed_out_or_were_cancelled_do_not_pile_up()
    {
        var broker = await SeekTests.WithMessages(0);
        using var cancellation = new CancellationTokenSource();
        for (var i = 0; i < 100; i++)
        {
            _ = Poll(broker, offset: 0, seconds: 1);
            broker.Advance(TimeSpan.FromSeconds(1.1));
        }

        var cancelled = broker.Start(node => node.PullAsync(
            Request(0) with { LongPoll = TimeSpan.FromSeconds(10) }, cancellation.Token));
        cancellation.Cancel();
        broker.Settle();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.InRange(broker.Node.Machine.Pulls.WaitingCount, 0, 64);
        Assert.Equal(0, broker.Node.Polls.Count);
    }

    private static PullRequest Request(long offset, int batch = 32, string filter = "*")
    {
        Assert.True(MessageFilter.TryParseTags(filter, out var parsed, out _));
        return new PullRequest
        {
            Group = "readers",
            Topic = "t",
            QueueId = 0,
            Offset = offset,
            BatchSize = batch,
            Filter = parsed,
        };
    }

    private static async Task<PullOutcome> Pull(TestBroker broker, long offset, int batch = 32, string filter = "*")
    {
        var outcome = await broker.Run(node => node.PullAsync(Request(offset, batch, filter), CancellationToken.None));
        Assert.True(outcome.Failure is null, outcome.Failure?.ToString());
        return outcome;
    }

    private static Task<PullOutcome> Poll(TestBroker broker, long offset, string filter = "*", double seconds = 10) =>
        broker.Start(node => node.PullAsync(
            Request(offset, filter: filter) with { LongPoll = TimeSpan.FromSeconds(seconds) }, CancellationToken.None));
}
