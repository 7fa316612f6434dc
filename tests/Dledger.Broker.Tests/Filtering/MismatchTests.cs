using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Filtering;

/// <summary>Clients of one group that ask for one topic with different filters.</summary>
public sealed class MismatchTests
{
    private readonly TestBroker _broker = new();

    [Theory]
    [InlineData("a", "b")]
    [InlineData("SQL TAGS = 'a'", "b")]
    [InlineData("a", "SQL TAGS = 'b'")]
    [InlineData("SQL TAGS = 'a'", "SQL TAGS = 'b'")]
    public async Task Each_client_gets_what_its_filter_wants_and_what_nobody_wants_is_finished(string first, string second)
    {
        await _broker.CreateTopic("t");
        _broker.Advance(ClientRegistry.AliveFor + TimeSpan.FromSeconds(1));
        Assert.Empty((await Take("one", first)).Messages);
        Assert.Empty((await Take("two", second)).Messages);
        foreach (var tag in (string[])["a", "b", "c", "b", "a"])
        {
            await _broker.Send("t", $"{tag}{Guid.NewGuid():n}", tag);
        }

        var ones = await TakeAndAck("one", first);
        var twos = await TakeAndAck("two", second);

        Assert.Equal(["a", "a"], ones);
        Assert.Equal(["b", "b"], twos);
        Assert.Empty(await TakeAndAck("one", first));
        Assert.Equal((5, 0), await Progress());
        Assert.Equal(_broker.StateHash, _broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_poll_that_waits_already_skips_nothing_that_a_newcomer_wants()
    {
        await _broker.CreateTopic("t");
        var waiting = _broker.Start(node => node.ReceiveAsync(
            Request("one", "a") with { LongPoll = TimeSpan.FromSeconds(10) }, CancellationToken.None));
        await Take("two", "b");

        await _broker.Send("t", "1", "b");
        await _broker.Send("t", "2", "a");

        Assert.Equal("2", TestBroker.Text(Assert.Single((await waiting).Messages)));
        Assert.Equal(["b"], await TakeAndAck("two", "b"));
    }

    [Fact]
    public async Task What_was_left_for_a_client_is_skipped_once_it_is_gone()
    {
        await _broker.CreateTopic("t");
        await Take("two", "b");
        await Take("one", "a");
        await _broker.Send("t", "1", "b");
        await Take("one", "a");
        Assert.Equal((0, 1), await Progress());

        _broker.Advance(TimeSpan.FromSeconds(91));
        await Take("one", "a");

        Assert.Equal((1, 0), await Progress());
    }

    [Fact]
    public async Task A_new_leader_that_has_not_heard_the_other_client_skips_nothing_of_it()
    {
        await _broker.CreateTopic("t");
        await Take("one", "a");
        await Take("two", "b");
        await _broker.Send("t", "1", "b");

        _broker.Restart();
        Assert.Empty(await TakeAndAck("one", "a"));

        Assert.Equal(["b"], await TakeAndAck("two", "b"));
        Assert.Equal((1, 0), await Progress());
    }

    [Fact]
    public async Task A_new_leader_skips_again_when_every_living_client_must_have_called()
    {
        await _broker.CreateTopic("t");
        await Take("one", "a");
        await Take("two", "b");
        _broker.Restart();
        await _broker.Send("t", "1", "b");
        await Take("one", "a");
        Assert.Equal((0, 1), await Progress());

        _broker.Advance(TimeSpan.FromSeconds(91));
        await Take("one", "a");

        Assert.Equal((1, 0), await Progress());
    }

    [Fact]
    public async Task Both_clients_are_told_who_differs_and_how()
    {
        await _broker.CreateTopic("t");
        Assert.Null((await Take("one", "a")).Warning);
        var second = await Take("two", "SQL TAGS = 'b'");
        var first = await Take("one", "a");

        Assert.Equal(
            "clients of group 'g' ask for topic 't' with different filters: 'one' with 'a'; nothing is skipped that one of them wants",
            second.Warning);
        Assert.Contains("'two' with 'SQL TAGS = 'b''", first.Warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_that_name_the_same_tags_in_another_order_do_not_differ()
    {
        await _broker.CreateTopic("t");
        await Take("one", "a || b");

        Assert.Null((await Take("two", "b||a")).Warning);
    }

    [Fact]
    public async Task A_client_that_changes_its_filter_counts_with_the_new_one()
    {
        await _broker.CreateTopic("t");
        await Take("one", "b");
        await Take("one", "a");
        await _broker.Send("t", "1", "b");

        Assert.Null((await Take("one", "a")).Warning);
        Assert.Equal((1, 0), await Progress());
    }

    [Fact]
    public async Task A_group_that_rejects_differences_refuses_the_later_client_and_says_whom_it_differs_from()
    {
        await _broker.CreateTopic("t");
        await _broker.CreateGroup(new GroupSpec
        {
            Name = "g",
            Settings = GroupSettings.Default with { Mismatch = MismatchPolicy.Reject },
        });
        await Take("one", "a");
        await _broker.Send("t", "1", "b");

        var refused = await Take("two", "b");

        Assert.Equal(BrokerError.SubscriptionMismatch, refused.Failure?.Error);
        Assert.Contains("client 'one' asks with filter 'a', this one with 'b'", refused.Failure?.Detail, StringComparison.Ordinal);
        _broker.Advance(TimeSpan.FromSeconds(91));
        Assert.Equal(["b"], await TakeAndAck("two", "b"));
    }

    [Fact]
    public async Task More_messages_for_the_other_client_than_one_look_shows_do_not_hide_ones_own()
    {
        await _broker.CreateTopic("t");
        await Take("two", "b");
        for (var i = 0; i < 3; i++)
        {
            var drafts = Enumerable.Range(0, 1_000).Select(n => TestBroker.Draft($"{i}-{n}", "b")).ToList();
            await _broker.Run(node => node.AppendAsync("t", drafts, CancellationToken.None));
        }

        await _broker.Send("t", "mine", "a");

        Assert.Equal(["a"], await TakeAndAck("one", "a"));
        await _broker.Send("t", "mine again", "a");
        Assert.Equal(["a"], await TakeAndAck("one", "a"));
        Assert.Equal(32, (await TakeAndAck("two", "b")).Count);
    }

    private static ReceiveRequest Request(string client, string filter) =>
        TestBroker.Request("g", "t", 32, 30, filter, null) with { ClientId = client };

    private Task<ReceiveOutcome> Take(string client, string filter) =>
        _broker.Run(node => node.ReceiveAsync(Request(client, filter), CancellationToken.None));

    private async Task<List<string?>> TakeAndAck(string client, string filter)
    {
        var outcome = await Take(client, filter);
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        foreach (var message in outcome.Messages)
        {
            Assert.Null(await _broker.Ack("g", "t", message));
        }

        return [.. outcome.Messages.Select(message => message.Tag)];
    }

    private async Task<(long Commit, long Lag)> Progress()
    {
        var description = (await _broker.Run(node => node.DescribeGroupAsync("g", CancellationToken.None))).Group;
        if (description!.Queues.Count == 0)
        {
            // All was left to others: no record was needed.
            var topic = (await _broker.Run(node => node.DescribeTopicAsync("t", CancellationToken.None))).Topic;
            return (0, Assert.Single(topic!.Queues).Max.Value);
        }

        var queue = Assert.Single(description.Queues);
        return (queue.CommitOffset.Value, queue.Lag);
    }
}
