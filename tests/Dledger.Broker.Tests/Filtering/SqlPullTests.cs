using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Filtering;

public sealed class SqlPullTests
{
    private readonly TestBroker _broker = new();

    [Fact]
    public async Task A_pull_returns_what_the_expression_wants_and_says_where_to_read_on()
    {
        await _broker.CreateTopic("t");
        await Fill(100);

        var first = await Pull(offset: 5, batch: 2, "a >= 10");
        var second = await Pull(first.NextOffset!.Value, batch: 2, "a >= 10");
        var last = await Pull(98, batch: 32, "a >= 10");

        Assert.Equal(["10", "11"], first.Messages.Select(TestBroker.Text));
        Assert.Equal(12, first.NextOffset);
        Assert.Equal(["12", "13"], second.Messages.Select(TestBroker.Text));
        Assert.Equal(["98", "99"], last.Messages.Select(TestBroker.Text));
        Assert.Equal(100, last.NextOffset);
    }

    [Fact]
    public async Task A_pull_that_finds_nothing_in_very_many_records_answers_how_far_it_came()
    {
        await _broker.CreateTopic("t");
        await Fill(9_000);

        var outcome = await Pull(offset: 0, batch: 1, "a < 0");

        Assert.Empty(outcome.Messages);
        Assert.InRange(outcome.NextOffset!.Value, 4_096, 4_096 + 256);
    }

    [Fact]
    public async Task A_pull_that_waits_sleeps_through_what_it_does_not_want()
    {
        await _broker.CreateTopic("t");
        await Fill(3);
        var poll = _broker.Start(node => node.PullAsync(
            Request(0, 1, "a = 7") with { LongPoll = TimeSpan.FromSeconds(10) }, CancellationToken.None));
        Assert.False(poll.IsCompleted);

        await Fill(8);

        Assert.Equal("7", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    private static PullRequest Request(long offset, int batch, string expression)
    {
        Assert.True(MessageFilter.TryParseSql(expression, out var filter, out var violation), violation.Detail);
        return new PullRequest
        {
            Group = "readers",
            Topic = "t",
            QueueId = 0,
            Offset = offset,
            BatchSize = batch,
            Filter = filter,
        };
    }

    private async Task<PullOutcome> Pull(long offset, int batch, string expression)
    {
        var outcome = await _broker.Run(node => node.PullAsync(Request(offset, batch, expression), CancellationToken.None));
        Assert.True(outcome.Failure is null, outcome.Failure?.ToString());
        return outcome;
    }

    private async Task Fill(int count)
    {
        foreach (var values in Enumerable.Range(0, count).Select(i => $"{i}").Chunk(1_000))
        {
            List<MessageDraft> drafts =
            [
                .. values.Select(value =>
                    TestBroker.Draft(value) with { UserProperties = [KeyValuePair.Create("a", value)] }),
            ];
            Assert.True((await _broker.Run(node => node.AppendAsync("t", drafts, CancellationToken.None))).Succeeded);
        }
    }
}
