using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Filtering;

public sealed class SqlReceiveTests
{
    private readonly TestBroker _broker = new();

    [Fact]
    public async Task Only_what_the_expression_wants_is_delivered_and_the_rest_is_finished()
    {
        await _broker.CreateTopic("t");
        await SendAll("1", "7", "3", "9", "2");

        var messages = await _broker.Receive("g", "t", filter: "SQL a > 2");
        foreach (var message in messages)
        {
            Assert.Null(await _broker.Ack("g", "t", message));
        }

        Assert.Equal(["7", "3", "9"], messages.Select(TestBroker.Text));
        Assert.Empty(await _broker.Receive("g", "t", filter: "SQL a > 2"));
        Assert.Equal((5, 0), await Progress("g"));
        Assert.Equal(_broker.StateHash, _broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_batch_ends_where_it_is_full_and_the_next_one_goes_on_there()
    {
        await _broker.CreateTopic("t");
        await SendAll([.. Enumerable.Range(0, 100).Select(i => $"{i}")]);

        var first = await _broker.Receive("g", "t", batch: 3, filter: "SQL a >= 10");
        var second = await _broker.Receive("g", "t", batch: 3, filter: "SQL a >= 10");

        Assert.Equal(["10", "11", "12"], first.Select(TestBroker.Text));
        Assert.Equal(["13", "14", "15"], second.Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_long_poll_sleeps_through_what_it_does_not_want()
    {
        await _broker.CreateTopic("t");
        var poll = _broker.Poll("g", "t", filter: "SQL a = 'x'");

        await SendAll("u", "v");
        Assert.False(poll.IsCompleted);
        await SendAll("x");

        Assert.Equal("x", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task A_long_poll_that_matches_nothing_ends_empty_in_time()
    {
        await _broker.CreateTopic("t");
        await SendAll("u", "v");
        var poll = _broker.Poll("g", "t", longPollSeconds: 5, filter: "SQL a = 'x'");

        _broker.Advance(TimeSpan.FromSeconds(4));
        Assert.False(poll.IsCompleted);
        _broker.Advance(TimeSpan.FromSeconds(2));

        Assert.Empty((await poll).Messages);
    }

    [Fact]
    public async Task The_one_match_behind_a_large_backlog_comes_with_one_call()
    {
        await _broker.CreateTopic("t");
        for (var i = 0; i < 20; i++)
        {
            await SendBatch(Enumerable.Repeat("u", 1_000));
        }

        await SendAll("x");

        Assert.Equal("x", TestBroker.Text(Assert.Single(await _broker.Receive("g", "t", filter: "SQL a = 'x'"))));
        Assert.Equal((20_000, 1), await Progress("g"));
    }

    [Fact]
    public async Task Redeliveries_are_filtered_like_the_first_delivery()
    {
        await _broker.CreateTopic("t");
        await SendAll("x", "u");
        Assert.Single(await _broker.Receive("g", "t", filter: "SQL a = 'x'", invisibleSeconds: 10));

        _broker.Advance(TimeSpan.FromSeconds(11));
        var again = Assert.Single(await _broker.Receive("g", "t", filter: "SQL a = 'x'"));

        Assert.Equal(("x", 2), (TestBroker.Text(again), again.Attempt));
    }

    [Fact]
    public async Task An_ordered_group_is_locked_by_a_filtered_batch()
    {
        await _broker.CreateTopic("t", types: MessageTypeSet.Of([MessageType.Normal, MessageType.Fifo]));
        await _broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true });
        await SendAll("1", "2", "3");

        var first = Assert.Single(await _broker.Receive("g", "t", batch: 1, filter: "SQL a <> '2'"));
        Assert.Empty(await _broker.Receive("g", "t", filter: "SQL a <> '2'"));
        Assert.Null(await _broker.Ack("g", "t", first));

        Assert.Equal("3", TestBroker.Text(Assert.Single(await _broker.Receive("g", "t", filter: "SQL a <> '2'"))));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_before_its_verdict_keeps_nothing_from_others()
    {
        await _broker.CreateTopic("t");
        using var gone = new CancellationTokenSource();
        var poll = _broker.Poll("g", "t", filter: "SQL a = 'x'", cancellationToken: gone.Token);
        await SendAll("u");
        await gone.CancelAsync();
        _broker.Settle();
        await SendAll("x");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => poll);
        Assert.Equal("x", TestBroker.Text(Assert.Single(await _broker.Receive("g", "t", filter: "SQL a = 'x'"))));
    }

    private async Task<(long Commit, long Lag)> Progress(string group)
    {
        var description = (await _broker.Run(node => node.DescribeGroupAsync(group, CancellationToken.None))).Group;
        var queue = Assert.Single(description!.Queues);
        return (queue.CommitOffset.Value, queue.Lag);
    }

    private Task SendAll(params string[] values) => SendBatch(values);

    private async Task SendBatch(IEnumerable<string> values)
    {
        var drafts = values
            .Select(value => TestBroker.Draft(value) with { UserProperties = [KeyValuePair.Create("a", value)] })
            .ToList();
        var outcome = await _broker.Run(node => node.AppendAsync("t", drafts, CancellationToken.None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
    }
}
