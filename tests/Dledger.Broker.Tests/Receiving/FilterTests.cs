using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class FilterTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("a", 97)]
    [InlineData("TagA", 2598919)]
    [InlineData("Aa", 2112)]
    [InlineData("BB", 2112)]
    public void Tag_hashes_are_those_of_Java(string tag, long hash) => Assert.Equal(hash, TagHash.Of(tag));

    [Fact]
    public void A_negative_hash_is_sign_extended() => Assert.Equal(int.MinValue, TagHash.Of("polygenelubricants"));

    [Theory]
    [InlineData(null, "*")]
    [InlineData("", "*")]
    [InlineData(" * ", "*")]
    [InlineData("a", "a")]
    [InlineData(" a || b||a ", "a,b")]
    [InlineData("a|| ||b", "a,b")]
    public void Expressions_name_tags_or_everything(string? expression, string tags)
    {
        Assert.True(TagFilter.TryParse(expression, out var filter, out _));
        Assert.Equal(tags, filter.MatchesAll ? "*" : string.Join(',', filter.Tags));
    }

    [Fact]
    public void An_expression_of_separators_only_is_refused()
    {
        Assert.False(TagFilter.TryParse("||", out _, out var violation));
        Assert.Equal(BrokenRule.FilterExpression, violation.Rule);
    }

    [Fact]
    public async Task Only_messages_with_a_wanted_tag_are_delivered_and_the_others_are_finished()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "1", "a");
        await broker.Send("t", "2", "b");
        await broker.Send("t", "3");
        await broker.Send("t", "4", "c");

        var messages = await broker.Receive("g", "t", filter: "a || c");
        foreach (var message in messages)
        {
            Assert.Null(await broker.Ack("g", "t", message));
        }

        Assert.Equal(["1", "4"], messages.Select(TestBroker.Text));
        var group = (await broker.Run(node => node.DescribeGroupAsync("g", CancellationToken.None))).Group;
        var queue = Assert.Single(group!.Queues);
        Assert.Equal((4, 0), (queue.CommitOffset.Value, queue.Lag));
    }

    [Fact]
    public async Task A_tag_that_only_shares_its_hash_is_finished_silently()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "other", "BB");
        await broker.Send("t", "wanted", "Aa");

        var message = Assert.Single(await broker.Receive("g", "t", batch: 1, filter: "Aa"));

        Assert.Equal("wanted", TestBroker.Text(message));
        var group = (await broker.Run(node => node.DescribeGroupAsync("g", CancellationToken.None))).Group;
        var queue = Assert.Single(group!.Queues);
        Assert.Equal((1, 1), (queue.CommitOffset.Value, queue.InFlight));
    }

    [Fact]
    public async Task A_parked_receive_sleeps_through_messages_that_it_does_not_want()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        var poll = broker.Poll("g", "t", filter: "a");

        await broker.Send("t", "1", "b");
        Assert.False(poll.IsCompleted);
        await broker.Send("t", "2", "a");

        Assert.Equal("2", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task A_long_run_of_unwanted_messages_is_skipped_in_one_receive_call()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 100; i++)
        {
            var drafts = Enumerable.Range(0, 100).Select(n => TestBroker.Draft($"{i}-{n}", "b")).ToList();
            await broker.Run(node => node.AppendAsync("t", drafts, CancellationToken.None));
        }

        await broker.Send("t", "wanted", "a");
        var poll = broker.Poll("g", "t", filter: "a");

        Assert.Equal("wanted", TestBroker.Text(Assert.Single((await poll).Messages)));
    }
}
